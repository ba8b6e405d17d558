package rules

import (
	"strconv"
)

var lambdaVPCMultiAZCheck = Rule{
	Name: "lambda-vpc-multi-az-check", Identifier: "LAMBDA_VPC_MULTI_AZ_CHECK", Source: Managed,
	Summary: "a function in a VPC has subnets in several availability zones",
	Remedy:  "give VpcConfig.SubnetIds subnets of two or more availability zones",
	Types:   []string{"AWS::Lambda::Function"}, Trigger: OnChange, Scope: Live,
	Parameters: []Parameter{
		{Name: "availabilityZones", Kind: IntParameter, Default: "2", About: "the least number of zones"},
	},
	judge: judgeLambdaVPCMultiAZCheck,
}

func judgeLambdaVPCMultiAZCheck(s *subject) Verdict {
	subnets := s.at("VpcConfig.SubnetIds")
	if subnets.node == nil {
		return notApplicable(subnets, "the function is in no VPC")
	}
	zones := s.supplementary("AvailabilityZones")
	n := zones.len()
	if zones.node == nil {
		var all bool
		if n, all = s.zonesOf(subnets); !all {
			return unknownFact("the availability zones of the function's subnets")
		}
	}
	least := s.arg("availabilityZones")
	reason := strconv.Itoa(n) + " availability zones, " + least.text + " are asked for"
	if float64(n) < least.number {
		return nonCompliantBecause(subnets, "the function's subnets are in "+reason)
	}
	return compliantBecause(subnets, "the function's subnets are in "+reason)
}

// zonesOf counts the zones of subnets that stand in the same Set.
func (s *subject) zonesOf(subnets property) (n int, all bool) {
	seen := map[string]bool{}
	for i := range subnets.len() {
		subnet, _ := s.set.target(subnets.item(i).node, []string{"AWS::EC2::Subnet"})
		if subnet == nil {
			return 0, false
		}
		zone := follow(subnet.Properties, "AvailabilityZone")
		if zone.node == nil || zone.open {
			return 0, false
		}
		seen[zone.node.Text] = true
	}
	return len(seen), !subnets.open
}
