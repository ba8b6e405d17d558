package rules

var apiGWCacheEnabledAndEncrypted = Rule{
	Name: "api-gw-cache-enabled-and-encrypted", Identifier: "API_GW_CACHE_ENABLED_AND_ENCRYPTED", Source: Managed,
	Summary: "every method of the stage has an encrypted cache",
	Remedy:  "set CacheClusterEnabled, and CachingEnabled and CacheDataEncrypted in MethodSettings",
	Types:   []string{"AWS::ApiGateway::Stage"}, Trigger: OnChange, Scope: Template,
	judge:    judgeAPIGWCacheEnabledAndEncrypted,
	registry: &registryReading{judge: registryAPIGWCacheEnabledAndEncrypted},
}

func judgeAPIGWCacheEnabledAndEncrypted(s *subject) Verdict {
	return s.wantMethods("so no method has a cache", func(method property) Verdict {
		for _, key := range []string{"CachingEnabled", "CacheDataEncrypted"} {
			p := method.in(key)
			if v := verdictOf(p.isTrue(), p, "should be true"); v.Compliance != Compliant {
				return v
			}
		}
		return compliant(method)
	})
}

// wantMethods asks every entry of a stage's MethodSettings.
func (s *subject) wantMethods(without string, judge func(property) Verdict) Verdict {
	settings := s.at("MethodSettings")
	switch {
	case settings.open:
		return unresolved(settings)
	case settings.len() == 0:
		return nonCompliant(settings, without)
	}
	for i := range settings.len() {
		method := settings.item(i)
		if method.open {
			return unresolved(method)
		}
		if v := judge(method); v.Compliance != Compliant {
			return v
		}
	}
	return compliantBecause(settings, "every entry of MethodSettings has it")
}

func registryAPIGWCacheEnabledAndEncrypted(s *subject) Verdict {
	if settings := s.at("MethodSettings"); settings.node == nil {
		return notApplicable(settings, "MethodSettings is not set")
	}
	return judgeAPIGWCacheEnabledAndEncrypted(s)
}
