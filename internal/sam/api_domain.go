package sam

import (
	"strings"
	"unicode"
)

// Custom domains of REST APIs: the domain name, what maps its paths to the stage, and its records in Route 53. Private domains
// are of a resource type of their own.

func (a *restAPI) domain(api *resource) []*resource {
	config := a.get("Domain")
	if config == nil {
		return nil
	}
	a.owner().expect(config, "Domain", aMap)
	d := &restDomain{restAPI: a, config: config, private: config.get("EndpointConfiguration").isText("PRIVATE")}
	return d.resources(api)
}

type restDomain struct {
	*restAPI
	config  *value
	private bool
	id      string
}

func (d *restDomain) resources(api *resource) []*resource {
	domain := d.domainName()
	made := append([]*resource{domain}, d.mappings(api)...)
	if group := d.records(); group != nil {
		made = append(made, group)
	}
	if access := d.config.given("AccessAssociation"); d.private && access != nil {
		made = append(made, d.accessAssociation(access))
	}
	return made
}

func (d *restDomain) domainName() *resource {
	name := d.owner().require(d.config.get("DomainName"), "Domain.DomainName")
	certificate := d.owner().require(d.config.get("CertificateArn"), "Domain.CertificateArn")
	prefix, kind := "ApiGatewayDomainName", "AWS::ApiGateway::DomainName"
	if d.private {
		prefix, kind = "ApiGatewayDomainNameV2", "AWS::ApiGateway::DomainNameV2"
	}
	d.id = hashedID(prefix, name)
	if !d.private {
		d.config.set("ApiDomainName", str(d.id))
	}
	endpoint := d.config.get("EndpointConfiguration")
	if endpoint.isNone() {
		endpoint = str("REGIONAL")
		d.config.set("EndpointConfiguration", endpoint)
	} else if !oneOf(endpoint.str(), "EDGE", "REGIONAL", "PRIVATE") {
		failResource(d.model.id, "EndpointConfiguration for Custom Domains must be one of %s.", quotedList("EDGE", "REGIONAL", "PRIVATE"))
	}
	domain := newResource(d.id, kind, d.passthrough()).with("DomainName", name)
	if endpoint.isText("REGIONAL") {
		domain.set("RegionalCertificateArn", certificate)
	} else {
		domain.set("CertificateArn", certificate)
	}
	config := object("Types", list(endpoint))
	if t := d.config.get("IpAddressType"); t.truthy() {
		config.set("IpAddressType", t)
	}
	domain.set("EndpointConfiguration", config)
	if !d.private {
		domain.set("MutualTlsAuthentication", d.mutualTLS())
	}
	optional := []string{"SecurityPolicy", "EndpointAccessMode", "Policy", "OwnershipVerificationCertificateArn"}
	for _, p := range optional {
		if v := d.config.get(p); v.truthy() {
			d.setOptional(domain, p, v)
		}
	}
	return domain
}

// setOptional sets a property that only one of the two types of domains has.
func (d *restDomain) setOptional(domain *resource, name string, v *value) {
	if name == "Policy" && !d.private || name == "OwnershipVerificationCertificateArn" && d.private {
		failResource(domain.id, "property %s not defined for resource of type %s", name, domain.kind)
	}
	domain.set(name, v)
}

func (d *restDomain) mutualTLS() *value {
	config := d.config.get("MutualTlsAuthentication")
	if !config.truthy() {
		return nil
	}
	d.owner().expect(config, "Domain.MutualTlsAuthentication", aMap)
	return truststore(config, func(e field, fields string) {
		panic(spanned(resourceCause(d.model.id, "Available Domain.MutualTlsAuthentication fields are %s.", fields), e))
	})
}

// truststore are the two properties of mutual TLS; fail is told of any other.
func truststore(config *value, fail func(e field, fields string)) *value {
	out := object()
	for _, e := range config.entries() {
		if !oneOf(e.key, "TruststoreUri", "TruststoreVersion") {
			fail(e, quotedList("TruststoreUri", "TruststoreVersion"))
		}
		if e.value.truthy() {
			out.setKey(e)
		}
	}
	return out
}

// basePaths are the paths of a domain that lead to the API; nil if there is none given.
func basePaths(config *value) []*value {
	switch v := config.get("BasePath"); {
	case !v.truthy():
		return nil
	case v.isString():
		return []*value{v}
	default:
		return v.items
	}
}

func (d *restDomain) mappings(api *resource) []*resource {
	kind := "AWS::ApiGateway::BasePathMapping"
	domainKey, domain := "DomainName", ref(d.id)
	if d.private {
		kind, domainKey = kind+"V2", "DomainNameArn"
	}
	mapping := func(id string) *resource {
		return newResource(id, kind, d.passthrough()).with(domainKey, domain, "RestApiId", api.ref(), "Stage", ref(api.id+".Stage"))
	}
	paths := basePaths(d.config)
	if paths == nil {
		return []*resource{mapping(d.model.id + "BasePathMapping")}
	}
	d.owner().expectList(list(paths...), "Domain.BasePath", aString)
	var made []*resource
	for _, path := range paths {
		letters := strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				return r
			}
			return -1
		}, path.text)
		m := mapping(d.model.id + letters + "BasePathMapping")
		if flagOr(d.config, "NormalizeBasePath", true) {
			m.set("BasePath", str(letters))
		} else {
			m.set("BasePath", path)
		}
		made = append(made, m)
	}
	return made
}

// records are the domain's records, in the group of its hosted zone, which other domains share unless asked not to.
func (d *restDomain) records() *resource {
	route53 := d.config.given("Route53")
	if route53 == nil {
		return nil
	}
	zone := d.hostedZone(route53)
	if separate := route53.get("SeparateRecordSetGroup"); separate.truthy() {
		d.owner().expect(separate, "Domain.Route53.SeparateRecordSetGroup", aBoolean)
		group := newResource(hashedID("RecordSetGroup", list(zone, d.config.get("DomainName"))), "AWS::Route53::RecordSetGroup", d.passthrough())
		for _, name := range []string{"HostedZoneId", "HostedZoneName"} {
			if v := route53.get(name); v.truthy() {
				group.set(name, v)
			}
		}
		return group.with("RecordSets", list(d.recordSets(route53)...))
	}
	id := hashedID("RecordSetGroup", zone)
	group := d.t.recordSets[id]
	if group == nil {
		group = newResource(id, "AWS::Route53::RecordSetGroup", d.passthrough()).with("RecordSets", list())
		group.with("HostedZoneId", route53.get("HostedZoneId"), "HostedZoneName", route53.get("HostedZoneName"))
		d.t.recordSets[id] = group
	}
	group.get("RecordSets").append(d.recordSets(route53)...)
	return group
}

// hostedZone is the id or the name of the zone.
func (m *model) hostedZone(route53 *value) *value {
	m.owner().expect(route53, "Domain.Route53", aMap)
	id, name := route53.get("HostedZoneId"), route53.get("HostedZoneName")
	if id.isNone() && name.isNone() {
		m.owner().fail(route53, "Domain.Route53", "HostedZoneId or HostedZoneName is required to enable Route53 support on Custom Domains.")
	}
	if id.truthy() {
		return id
	}
	return name
}

func (d *restDomain) recordSets(route53 *value) []*value {
	return recordSets(d.config.get("DomainName"), route53, func() *value { return d.aliasTarget(route53) })
}

// recordSets are a domain's records: A, and AAAA if asked for.
func recordSets(domain, route53 *value, target func() *value) []*value {
	kinds := []string{"A"}
	if route53.get("IpV6").isTrue() {
		kinds = append(kinds, "AAAA")
	}
	var sets []*value
	for _, kind := range kinds {
		set := object("Name", domain, "Type", kind, "AliasTarget", target())
		for _, name := range []string{"Region", "SetIdentifier"} {
			if v := route53.given(name); v != nil {
				set.set(name, v)
			}
		}
		sets = append(sets, set)
	}
	return sets
}

func (d *restDomain) aliasTarget(route53 *value) *value {
	target := object()
	if health := route53.given("EvaluateTargetHealth"); health != nil {
		target.set("EvaluateTargetHealth", health)
	}
	domain := d.id
	if d.private {
		domain = d.config.get("DomainName").str()
	}
	switch endpoint := d.config.get("EndpointConfiguration").str(); endpoint {
	case "REGIONAL":
		target.set("HostedZoneId", getAtt(domain, "RegionalHostedZoneId"))
		target.set("DNSName", getAtt(domain, "RegionalDomainName"))
	case "EDGE":
		const cloudFrontZone = "Z2FDTNDATAQYW2"
		if route53.get("DistributionDomainName").isNone() {
			route53.set("DistributionDomainName", getAtt(domain, "DistributionDomainName"))
		}
		target.set("HostedZoneId", str(cloudFrontZone))
		target.set("DNSName", route53.get("DistributionDomainName"))
	default:
		target.set("HostedZoneId", orNone(route53.get("VpcEndpointHostedZoneId")))
		target.set("DNSName", orNone(route53.get("VpcEndpointDomainName")))
	}
	return target
}

func (d *restDomain) accessAssociation(config *value) *resource {
	endpoint := config.get("VpcEndpointId")
	id := hashedID("DomainNameAccessAssociation", list(orNone(endpoint), str(d.id)))
	return newResource(id, "AWS::ApiGateway::DomainNameAccessAssociation", d.passthrough()).with(
		"DomainNameArn", ref(d.id), "AccessAssociationSourceType", "VPCE", "AccessAssociationSource", endpoint)
}

// orNone is null in the place of what is not there.
func orNone(v *value) *value {
	if v == nil {
		return null()
	}
	return v
}
