package rules

var s3ResourcesProtectedByBackupPlan = Rule{
	Name: "s3-resources-protected-by-backup-plan", Identifier: "S3_RESOURCES_PROTECTED_BY_BACKUP_PLAN", Source: Managed,
	Summary: "a backup plan covers the bucket, as the parameters ask",
	Remedy:  "add an AWS::Backup::BackupSelection with the bucket",
	Types:   []string{"AWS::S3::Bucket"}, Trigger: Periodic, Scope: Live,
	Parameters: []Parameter{
		{Name: "resourceId", About: "only this resource is judged"},
		{Name: "crossRegionList", Kind: CSVParameter, About: "regions that must get copies"},
		{Name: "crossAccountList", Kind: CSVParameter, About: "accounts that must get copies"},
		{Name: "maxRetentionDays", Kind: IntParameter, About: "days"},
		{Name: "minRetentionDays", Kind: IntParameter, About: "days"},
		{Name: "backupVaultLockCheck", Kind: BooleanParameter, About: "true: the vault must be locked"},
	},
	judge: (*subject).wantProtected,
}
