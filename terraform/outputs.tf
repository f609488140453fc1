output "grants" {
  description = "Every permission that this configuration gives, as `identity | role | resource`; own accounts by their short names."
  value = toset([
    for grant in concat(
      module.identity.grants, module.warehouse.grants, module.lake.grants, module.secrets.grants, module.runtime.grants,
    ) : replace(replace(grant, "serviceAccount:tributary-", ""), "@${var.project}.iam.gserviceaccount.com", "")
  ])
}

output "environment" {
  description = "What goes into the machine's .env: the values of .env.example that follow from this configuration."
  value = {
    TRIBUTARY_PROJECT        = var.project
    TRIBUTARY_LOCATION       = var.location
    TRIBUTARY_LAKE_BUCKET    = module.lake.bucket
    TRIBUTARY_INGEST_ACCOUNT = module.identity.emails["ingest"]
    DBT_SERVICE_ACCOUNT      = module.identity.emails["dbt"]
    TRIBUTARY_IMAGE          = "${module.runtime.registry}/tributary"
    TRIBUTARY_POLICY_TAGS    = jsonencode(module.warehouse.policy_tags)
  }
}

output "github" {
  description = "Variables of the GitHub environment with the same name as this one."
  value = {
    PROJECT                    = var.project
    LOCATION                   = var.location
    WORKLOAD_IDENTITY_PROVIDER = module.identity.provider
    DEPLOY_ACCOUNT             = module.identity.emails["deploy"]
    TERRAFORM_ACCOUNT          = module.identity.emails["terraform"]
    REGISTRY                   = module.runtime.registry
    MACHINE                    = module.runtime.machine
    ZONE                       = module.runtime.zone
  }
}

output "policy_tags" {
  description = "Policy tag of each kind of personal data (the contracts' `pii`)."
  value       = module.warehouse.policy_tags
}
