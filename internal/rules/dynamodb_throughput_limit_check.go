package rules

import "fmt"

var dynamodbThroughputLimitCheck = Rule{
	Name: "dynamodb-throughput-limit-check", Identifier: "DYNAMODB_THROUGHPUT_LIMIT_CHECK", Source: Managed,
	Summary: "provisioned capacity stays within a share of the account's quota",
	Remedy:  "provision less, use on-demand tables, or ask for a higher quota",
	Trigger: Periodic, Scope: Live,
	Parameters: []Parameter{
		{Name: "accountRCUThresholdPercentage", Kind: IntParameter, Default: "80", About: "percent of the read quota that may be used"},
		{Name: "accountWCUThresholdPercentage", Kind: IntParameter, Default: "80", About: "percent of the write quota that may be used"},
	},
	judge: judgeDynamoDBThroughputLimitCheck,
}

func judgeDynamoDBThroughputLimitCheck(s *subject) Verdict {
	worst := Verdict{}
	for _, way := range []struct{ name, parameter string }{{"Read", "accountRCUThresholdPercentage"}, {"Write", "accountWCUThresholdPercentage"}} {
		if v := s.wantWithinQuota(way.name, s.arg(way.parameter).number); v.Compliance > worst.Compliance {
			worst = v
		}
	}
	return worst
}

// wantWithinQuota adds up what the Set's tables provision, and what others in the account do if that is known.
func (s *subject) wantWithinQuota(way string, percent float64) Verdict {
	quota, known := s.fact("AccountMax" + way + "CapacityUnits").number()
	if known != yes {
		return unknownFact("the account's quota AccountMax" + way + "CapacityUnits")
	}
	elsewhere := s.fact("Provisioned" + way + "CapacityUnits")
	sum, _ := elsewhere.number()
	var open *property
	if elsewhere.open {
		open = &elsewhere
	}
	for _, it := range s.set.Items {
		if it.Type != "AWS::DynamoDB::Table" {
			continue
		}
		n, unresolved := provisioned(it, way+"CapacityUnits")
		if sum += n; unresolved != nil {
			open = unresolved
		}
	}
	p := property{path: "ProvisionedThroughput." + way + "CapacityUnits"}
	reason := fmt.Sprintf("provisioned %s capacity is %.0f of %.0f units; %g %% are allowed", way, sum, quota, percent)
	switch {
	case sum*100 > quota*percent:
		return nonCompliantBecause(p, reason)
	case open != nil:
		return unresolved(*open)
	}
	return compliantBecause(p, reason)
}

// provisioned is the capacity of a table and its global secondary indexes; 0 of one on demand.
func provisioned(it *Item, units string) (sum float64, open *property) {
	mode := follow(it.Properties, "BillingMode")
	if mode.oneOf("PAY_PER_REQUEST") == yes {
		return 0, nil
	}
	add := func(p property) {
		if n, known := p.number(); known == yes {
			sum += n
		} else if known == unknown {
			p.path = it.ID + "." + p.path
			open = &p
		}
	}
	add(follow(it.Properties, "ProvisionedThroughput."+units))
	indexes := follow(it.Properties, "GlobalSecondaryIndexes")
	for i := range indexes.len() {
		if index := indexes.item(i); index.open {
			add(index)
		} else {
			add(index.in("ProvisionedThroughput." + units))
		}
	}
	if mode.open && open == nil {
		open = &mode
	}
	return sum, open
}

// fact reads what is known of the account.
func (s *subject) fact(name string) property { return follow(s.set.Account, name) }
