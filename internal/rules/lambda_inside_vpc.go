package rules

var lambdaInsideVPC = Rule{
	Name: "lambda-inside-vpc", Identifier: "LAMBDA_INSIDE_VPC", Source: Managed,
	Summary: "the function is attached to a VPC, to none but the given subnets",
	Remedy:  "set VpcConfig with SubnetIds and SecurityGroupIds",
	Types:   []string{"AWS::Lambda::Function"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "subnetIds", Kind: CSVParameter, About: "the subnets that the function may be in"},
	},
	judge:    judgeLambdaInsideVPC,
	registry: &registryReading{nag: []string{"W89"}, judge: registryLambdaInsideVPC},
}

func judgeLambdaInsideVPC(s *subject) Verdict {
	subnets := s.at("VpcConfig.SubnetIds")
	switch {
	case subnets.open:
		return verdictOf(s.isSet(subnets), subnets, "")
	case subnets.len() == 0:
		return nonCompliant(subnets, "so the function is in no VPC")
	}
	if a := s.arg("subnetIds"); a.set {
		for i := range subnets.len() {
			subnet := subnets.item(i)
			if v := verdictOf(subnet.oneOf(a.words...), subnet, "should be one of the given subnets"); v.Compliance != Compliant {
				return v
			}
		}
	}
	return compliantBecause(subnets, "the function is in the subnets of VpcConfig.SubnetIds")
}

func registryLambdaInsideVPC(s *subject) Verdict {
	for _, path := range []string{"VpcConfig.SecurityGroupIds", "VpcConfig.SubnetIds"} {
		if p := s.at(path); p.len() == 0 {
			return nonCompliant(p, "")
		}
	}
	return compliantBecause(s.at("VpcConfig"), "VpcConfig names subnets and security groups")
}
