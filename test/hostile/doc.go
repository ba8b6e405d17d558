// Package hostile answers: what does evo do with input that is wrong, on purpose or not? Its tests send it to the whole program:
// to the command line, and through AWS's SDK to the embedded cloud. After each, nothing is half-applied, and the cloud goes on.
//
// The catalogue, and where each case is tested besides here:
//
//	templates: malformed, deep, bombs, circles, missing references, wrong types, 1 MB
//	    through validate and transform, CreateStack, CreateChangeSet        TestTemplates
//	    as nodes                 internal/cfn: TestParseErrors, TestParseDeepAliases, FuzzParse, FuzzReadTemplate, TestGraph
//	    as SAM                   internal/sam: TestHostile, TestAnyTemplate, FuzzTransform
//	    as stacks                internal/cloud/cloudformation: TestHostileTemplates
//	zips: paths that leave the folder, symbolic links, bombs, no zip at all
//	    through CreateFunction                                              TestZips
//	    unpacked                 internal/unzip: TestUnpackRefuses, TestUnpackBomb, FuzzUnpack
//	requests: no JSON, too deep, too large, packed bombs
//	    in each protocol         internal/cloud/wire: TestHostileBodies, FuzzHandler, TestProtocolInputs
//	    foreign hosts, origins   internal/cloud/wire: TestWhoMayAsk
//	payloads: 6 MB to a function, 1 MB of an event, 10 MB to an API, items of 400 KB, long keys
//	    through the clients                                                 TestPayloads
//	    at the limits            internal/cloud/executeapi: TestRESTTooLarge; internal/cloud/dynamodb: TestItemErrors,
//	                             TestNestingIsLimited; internal/cloud/s3: TestKeysAndMetadataHaveLimits, FuzzKeys
//	functions: that crash, hang, print without end, answer too much, or after their time
//	    through Invoke                                                      TestFunctions
//	    as processes             internal/cloud/sandbox: TestTimeout, TestPrintsWithoutEnd, TestHugeAnswer, TestOutOfMemory,
//	                             TestAnswersTwice, TestOutOfTurn, TestProgramsThatCannotStart, TestChildrenDieToo,
//	                             TestInitThatHangsIsTriedAgainWithinTheFunctionsTime
//	hooks: that answer twice, late, never, or with a status that does not exist
//	    functions as hooks                                                  TestHooks
//	    in virtual time          internal/cloud/codedeploy: TestHookAnswersOddly, TestHookNeverAnswers, TestHookSaysNo,
//	                             TestHookCannotBeCalled
package hostile
