package cloudformation

type APIGateway interface{}
type APIGatewayV2 interface{}
type CloudWatch interface{}
type Logs interface{}
type AutoScaling interface{}

func (s *Service) apiHandlers() map[string]Handler        { return nil }
func (s *Service) httpAPIHandlers() map[string]Handler    { return nil }
func (s *Service) cloudwatchHandlers() map[string]Handler { return nil }
func (s *Service) logsHandlers() map[string]Handler       { return nil }
func (s *Service) scalingHandlers() map[string]Handler    { return nil }
