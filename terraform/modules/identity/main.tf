# Who acts here. No identity has a key: machines have theirs attached, people and workflows borrow one for an hour.

locals {
  accounts = merge(
    {
      airflow   = "Runs Airflow; may only act as ingest and dbt and read the connections' secrets"
      ingest    = "Loads: the lake, raw tables and ops"
      dbt       = "Builds: reads raw, writes staging, mart and dq"
      watcher   = "Runs the scheduled checks of the monitoring module over ops"
      deploy    = "GitHub: pushes images and rolls them out, behind the environment's approval"
      terraform = "GitHub: applies this configuration, behind the environment's approval"
      plan      = "GitHub: plans this configuration for pull requests; reads settings, no data"
    },
    var.pull_requests ? { ci = "GitHub: builds pull requests into datasets of their own" } : {},
  )

  settings_reader = "projects/${google_project_iam_custom_role.settings_reader.project}/roles/${google_project_iam_custom_role.settings_reader.role_id}"

  # The only roles that reach over the whole project. Only `terraform`'s read a row or an object.
  project_roles = merge(
    {
      airflow = ["roles/logging.logWriter", "roles/monitoring.metricWriter"]
      ingest  = ["roles/bigquery.jobUser"]
      dbt     = ["roles/bigquery.jobUser"]
      watcher = ["roles/bigquery.jobUser"]
      deploy  = ["roles/compute.viewer"]
      plan = [
        "roles/artifactregistry.reader", "roles/bigquery.metadataViewer", "roles/browser", "roles/compute.viewer",
        "roles/iam.securityReviewer", "roles/iam.workloadIdentityPoolViewer", "roles/logging.viewer",
        "roles/monitoring.viewer", "roles/secretmanager.viewer", "roles/serviceusage.serviceUsageConsumer",
        local.settings_reader,
      ]
      # Whoever may set permissions has them all in the end: this one is guarded by the approval, see docs/security.md.
      terraform = [
        "roles/artifactregistry.admin", "roles/bigquery.admin", "roles/bigquerydatapolicy.admin", "roles/compute.admin",
        "roles/datacatalog.categoryAdmin", "roles/iam.serviceAccountAdmin", "roles/iam.workloadIdentityPoolAdmin",
        "roles/iam.roleAdmin", "roles/iap.admin", "roles/logging.configWriter", "roles/monitoring.admin", "roles/resourcemanager.projectIamAdmin",
        "roles/secretmanager.admin", "roles/serviceusage.serviceUsageAdmin", "roles/storage.admin",
      ]
    },
    # bigquery.user may create datasets and owns those that it created.
    var.pull_requests ? { ci = ["roles/bigquery.user"] } : {},
  )
  project_grants = merge([
    for account, roles in local.project_roles : { for role in roles : "${account} ${role}" => { account = account, role = role } }
  ]...)

  # Who may act as whom: (group or account, account, role).
  token  = "roles/iam.serviceAccountTokenCreator"
  attach = "roles/iam.serviceAccountUser"
  impersonations = {
    "airflow as ingest"           = { member = local.members["airflow"], as = "ingest", role = local.token }
    "airflow as dbt"              = { member = local.members["airflow"], as = "dbt", role = local.token }
    "operators as ingest"         = { member = "group:${var.operators}", as = "ingest", role = local.token }
    "operators as dbt"            = { member = "group:${var.operators}", as = "dbt", role = local.token }
    "deploy logs into airflow"    = { member = local.members["deploy"], as = "airflow", role = local.attach }
    "operators log into airflow"  = { member = "group:${var.operators}", as = "airflow", role = local.attach }
    "terraform attaches airflow"  = { member = local.members["terraform"], as = "airflow", role = local.attach }
    "terraform schedules watcher" = { member = local.members["terraform"], as = "watcher", role = local.attach }
  }

  # Which workflow of which repository borrows which account; the subject is GitHub's own statement.
  environment_run = "repo:${var.github_repository}:environment:${var.environment}"
  pull_request    = "repo:${var.github_repository}:pull_request"
  workflows = merge(
    { deploy = local.environment_run, terraform = local.environment_run, plan = local.pull_request },
    var.pull_requests ? { ci = local.pull_request } : {},
  )

  # Built from the resource's own arguments: they are known in a plan.
  emails  = { for name, account in google_service_account.this : name => "${account.account_id}@${account.project}.iam.gserviceaccount.com" }
  members = { for name, email in local.emails : name => "serviceAccount:${email}" }
}

resource "google_service_account" "this" {
  for_each     = local.accounts
  project      = var.project
  account_id   = "tributary-${each.key}"
  display_name = "Tributary ${each.key}"
  description  = each.value
}

# What a plan has to read and no narrower role gives.
resource "google_project_iam_custom_role" "settings_reader" {
  project = var.project
  role_id = "tributarySettingsReader"
  title   = "Reads settings, no data"
  permissions = [
    "bigquery.dataPolicies.get", "bigquery.transfers.get", "datacatalog.taxonomies.get", "storage.buckets.get",
    "storage.buckets.getIamPolicy",
  ]
}

resource "google_project_iam_member" "account" {
  for_each = local.project_grants
  project  = var.project
  role     = each.value.role
  member   = local.members[each.value.account]
}

resource "google_project_iam_member" "analysts" {
  project = var.project
  role    = "roles/bigquery.jobUser"
  member  = "group:${var.analysts}"
}

resource "google_service_account_iam_member" "impersonation" {
  for_each           = local.impersonations
  service_account_id = google_service_account.this[each.value.as].name
  role               = each.value.role
  member             = each.value.member
}

resource "google_iam_workload_identity_pool" "github" {
  project                   = var.project
  workload_identity_pool_id = "github"
  description               = "Workflows of GitHub Actions"
}

resource "google_iam_workload_identity_pool_provider" "github" {
  project                            = var.project
  workload_identity_pool_id          = google_iam_workload_identity_pool.github.workload_identity_pool_id
  workload_identity_pool_provider_id = "actions"
  attribute_mapping                  = { "google.subject" = "assertion.sub" }
  attribute_condition                = "assertion.repository_id == '${var.github_repository_id}'"
  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

resource "google_service_account_iam_member" "workflow" {
  for_each           = local.workflows
  service_account_id = google_service_account.this[each.key].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principal://iam.googleapis.com/${google_iam_workload_identity_pool.github.name}/subject/${each.value}"
}

resource "google_storage_bucket_iam_member" "state" {
  for_each = { terraform = "roles/storage.objectAdmin", plan = "roles/storage.objectViewer" }
  bucket   = var.state_bucket
  role     = each.value
  member   = local.members[each.key]
}

resource "google_billing_account_iam_member" "budget" {
  for_each           = { terraform = "roles/billing.costsManager", plan = "roles/billing.viewer" }
  billing_account_id = var.billing_account
  role               = each.value
  member             = local.members[each.key]
}
