package inventory_test

// plain asks for resources of every type that is read, and for nothing that their services set by themselves.
const plain = `
AWSTemplateFormatVersion: '2010-09-09'
Resources:
  Bucket: {Type: 'AWS::S3::Bucket'}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      ProvisionedThroughput: {ReadCapacityUnits: '5', WriteCapacityUnits: 5}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}]
  Function:
    Type: AWS::Lambda::Function
    Properties: {Runtime: python3.12, Handler: index.handler, Role: !GetAtt Role.Arn, Code: {ZipFile: 'handler = print'}}
  Api: {Type: 'AWS::ApiGateway::RestApi', Properties: {Name: plain}}
  Http: {Type: 'AWS::ApiGatewayV2::Api', Properties: {Name: plain, ProtocolType: HTTP}}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties: {Namespace: AWS/Lambda, MetricName: Errors, Statistic: Sum, Period: 60, EvaluationPeriods: 1, Threshold: 0, ComparisonOperator: GreaterThanThreshold}
  Group: {Type: 'AWS::Logs::LogGroup'}
`

// full asks for every variant that is read.
const full = `
AWSTemplateFormatVersion: '2010-09-09'
Parameters:
  Stage: {Type: String, Default: live}
  Secret: {Type: String, NoEcho: true, Default: hush}
Conditions:
  Never: !Equals [!Ref Stage, other]
Resources:
  Nothing: {Type: 'AWS::S3::Bucket', Condition: Never}
  Logs:
    Type: AWS::S3::Bucket
    Properties:
      OwnershipControls: {Rules: [{ObjectOwnership: BucketOwnerPreferred}]}
  Bucket:
    Type: AWS::S3::Bucket
    Metadata: {guard: {SuppressedRules: [S3_BUCKET_LOGGING_ENABLED]}}
    Properties:
      BucketName: shop-pictures
      BucketEncryption: {ServerSideEncryptionConfiguration: [{BucketKeyEnabled: true, ServerSideEncryptionByDefault: {SSEAlgorithm: 'aws:kms', KMSMasterKeyID: 'arn:aws:kms:us-east-1:000000000000:key/1'}}]}
      VersioningConfiguration: {Status: Enabled}
      PublicAccessBlockConfiguration: {BlockPublicAcls: true, BlockPublicPolicy: 'true', IgnorePublicAcls: true, RestrictPublicBuckets: true}
      LoggingConfiguration: {DestinationBucketName: !Ref Logs, LogFilePrefix: pictures/}
      OwnershipControls: {Rules: [{ObjectOwnership: BucketOwnerEnforced}]}
      LifecycleConfiguration:
        Rules:
          - {Id: old, Status: Enabled, Prefix: tmp/, ExpirationInDays: 30, NoncurrentVersionExpirationInDays: 7}
          - {Id: cold, Status: Enabled, TagFilters: [{Key: a, Value: b}], Transitions: [{StorageClass: GLACIER, TransitionInDays: 90}]}
      CorsConfiguration: {CorsRules: [{AllowedMethods: [GET], AllowedOrigins: ['*'], ExposedHeaders: [ETag], MaxAge: 60}]}
      WebsiteConfiguration: {IndexDocument: index.html, ErrorDocument: error.html}
      ReplicationConfiguration:
        Role: !GetAtt Role.Arn
        Rules: [{Id: all, Status: Enabled, Priority: 1, Filter: {Prefix: ''}, DeleteMarkerReplication: {Status: Disabled}, Destination: {Bucket: !GetAtt Replica.Arn}}]
      Tags: [{Key: purpose, Value: pictures}]
  Replica: {Type: 'AWS::S3::Bucket', Properties: {VersioningConfiguration: {Status: Enabled}}}
  Locked: {Type: 'AWS::S3::Bucket', Properties: {ObjectLockEnabled: true, VersioningConfiguration: {Status: Enabled}}}
  BucketPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - {Sid: Tls, Effect: Deny, Principal: '*', Action: 's3:*', Resource: [!GetAtt Bucket.Arn, !Sub '${Bucket.Arn}/*'], Condition: {Bool: {'aws:SecureTransport': 'false'}}}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}, {AttributeName: at, AttributeType: N}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      GlobalSecondaryIndexes:
        - {IndexName: byTime, KeySchema: [{AttributeName: at, KeyType: HASH}], Projection: {ProjectionType: ALL}, ProvisionedThroughput: {ReadCapacityUnits: 1, WriteCapacityUnits: 1}}
      ProvisionedThroughput: {ReadCapacityUnits: 2, WriteCapacityUnits: 2}
      SSESpecification: {SSEEnabled: true, SSEType: KMS}
      PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
      TimeToLiveSpecification: {AttributeName: until, Enabled: true}
      StreamSpecification: {StreamViewType: NEW_IMAGE}
      DeletionProtectionEnabled: true
      Tags: [{Key: b, Value: '2'}, {Key: a, Value: '1'}]
  OnDemand:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      BillingMode: PAY_PER_REQUEST
  Reads:
    Type: AWS::ApplicationAutoScaling::ScalableTarget
    Properties: {MaxCapacity: 10, MinCapacity: 2, ResourceId: !Sub 'table/${Table}', ScalableDimension: 'dynamodb:table:ReadCapacityUnits', ServiceNamespace: dynamodb, RoleARN: !GetAtt Role.Arn}
  ReadsPolicy:
    Type: AWS::ApplicationAutoScaling::ScalingPolicy
    Properties:
      PolicyName: reads
      PolicyType: TargetTrackingScaling
      ScalingTargetId: !Ref Reads
      TargetTrackingScalingPolicyConfiguration: {TargetValue: 70, PredefinedMetricSpecification: {PredefinedMetricType: DynamoDBReadCapacityUtilization}}
  Role:
    Type: AWS::IAM::Role
    Properties:
      Path: /shop/
      Description: the functions' role
      MaxSessionDuration: 7200
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {Service: [lambda.amazonaws.com]}, Action: ['sts:AssumeRole']}]
      ManagedPolicyArns: ['arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole']
      Policies: [{PolicyName: read, PolicyDocument: {Version: '2012-10-17', Statement: [{Effect: Allow, Action: 'dynamodb:GetItem', Resource: !GetAtt Table.Arn}]}}]
  Inline:
    Type: AWS::IAM::Policy
    Properties: {PolicyName: write, Roles: [!Ref Role], PolicyDocument: {Version: '2012-10-17', Statement: [{Effect: Allow, Action: ['s3:PutObject'], Resource: '*'}]}}
  Managed:
    Type: AWS::IAM::ManagedPolicy
    Properties: {PolicyDocument: {Version: '2012-10-17', Statement: [{Effect: Allow, Action: 's3:GetObject', Resource: '*'}]}}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: search
      Runtime: python3.12
      Handler: index.handler
      Role: !GetAtt Role.Arn
      Code: {ZipFile: 'handler = print'}
      Description: finds
      MemorySize: 256
      Timeout: '10'
      Architectures: [arm64]
      Environment: {Variables: {TABLE: !Ref Table, SECRET: !Ref Secret}}
      TracingConfig: {Mode: Active}
      DeadLetterConfig: {TargetArn: 'arn:aws:sqs:us-east-1:000000000000:dead'}
      ReservedConcurrentExecutions: 3
      Tags: [{Key: purpose, Value: search}]
  Version: {Type: 'AWS::Lambda::Version', Properties: {FunctionName: !Ref Function}}
  Alias:
    Type: AWS::Lambda::Alias
    Properties: {FunctionName: !Ref Function, FunctionVersion: !GetAtt Version.Version, Name: !Ref Stage}
  Permission:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: !Ref Alias, Action: 'lambda:InvokeFunction', Principal: apigateway.amazonaws.com, SourceArn: !Sub 'arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*'}
  Url: {Type: 'AWS::Lambda::Url', Properties: {TargetFunctionArn: !Ref Function, AuthType: NONE}}
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties: {Name: shop, Description: the shop, MinimumCompressionSize: 1024, EndpointConfiguration: {Types: [REGIONAL]}}
  Method:
    Type: AWS::ApiGateway::Method
    Properties: {RestApiId: !Ref Api, ResourceId: !GetAtt Api.RootResourceId, HttpMethod: GET, AuthorizationType: NONE, Integration: {Type: MOCK}}
  Deployment: {Type: 'AWS::ApiGateway::Deployment', DependsOn: Method, Properties: {RestApiId: !Ref Api}}
  RestStage:
    Type: AWS::ApiGateway::Stage
    Properties:
      RestApiId: !Ref Api
      DeploymentId: !Ref Deployment
      StageName: !Ref Stage
      TracingEnabled: true
      Variables: {a: b}
      AccessLogSetting: {DestinationArn: !GetAtt Group.Arn, Format: $context.requestId}
      MethodSettings: [{HttpMethod: '*', ResourcePath: '/*', MetricsEnabled: true, LoggingLevel: ERROR, ThrottlingRateLimit: 10, ThrottlingBurstLimit: 5}]
  Http:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: shop, ProtocolType: HTTP, CorsConfiguration: {AllowOrigins: ['*']}, Tags: {purpose: search}}
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref Http, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt Function.Arn, PayloadFormatVersion: '2.0'}
  Route: {Type: 'AWS::ApiGatewayV2::Route', Properties: {ApiId: !Ref Http, RouteKey: GET /search, AuthorizationType: AWS_IAM, Target: !Sub 'integrations/${Integration}'}}
  HttpStage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Http, StageName: $default, AutoDeploy: true, StageVariables: {a: b}, DefaultRouteSettings: {ThrottlingBurstLimit: 5, ThrottlingRateLimit: 10}, AccessLogSettings: {DestinationArn: !GetAtt Group.Arn, Format: $context.requestId}}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: search-errors
      Namespace: AWS/Lambda
      MetricName: Errors
      Dimensions: [{Name: Resource, Value: 'search:live'}, {Name: FunctionName, Value: search}]
      Statistic: Sum
      Period: 60
      EvaluationPeriods: 1
      Threshold: 0.5
      ComparisonOperator: GreaterThanThreshold
      TreatMissingData: notBreaching
      AlarmActions: ['arn:aws:sns:us-east-1:000000000000:ops']
  Both: {Type: 'AWS::CloudWatch::CompositeAlarm', Properties: {AlarmName: both, AlarmRule: !Sub 'ALARM("${Alarm}")'}}
  Group: {Type: 'AWS::Logs::LogGroup', Properties: {RetentionInDays: 14, KmsKeyId: 'arn:aws:kms:us-east-1:000000000000:key/1'}}
  Application: {Type: 'AWS::CodeDeploy::Application', Properties: {ComputePlatform: Lambda}}
  Deploys:
    Type: AWS::CodeDeploy::DeploymentGroup
    Properties:
      ApplicationName: !Ref Application
      ServiceRoleArn: !GetAtt Role.Arn
      DeploymentConfigName: CodeDeployDefault.LambdaCanary10Percent5Minutes
      DeploymentStyle: {DeploymentType: BLUE_GREEN, DeploymentOption: WITH_TRAFFIC_CONTROL}
      AutoRollbackConfiguration: {Enabled: true, Events: [DEPLOYMENT_FAILURE, DEPLOYMENT_STOP_ON_ALARM]}
      AlarmConfiguration: {Enabled: true, Alarms: [{Name: !Ref Alarm}]}
  Queue: {Type: 'AWS::SQS::Queue'}
`
