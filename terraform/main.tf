locals {
  # Only the environment in which nothing is real lets code that nobody has reviewed run.
  pull_requests = var.environment == "dev"

  services = [
    "artifactregistry", "bigquery", "bigquerydatapolicy", "bigquerydatatransfer", "billingbudgets", "cloudresourcemanager",
    "compute", "datacatalog", "iam", "iamcredentials", "iap", "logging", "monitoring", "secretmanager", "storage", "sts",
  ]
}

resource "google_project_service" "this" {
  for_each           = toset(local.services)
  project            = var.project
  service            = "${each.value}.googleapis.com"
  disable_on_destroy = false
}

module "identity" {
  source               = "./modules/identity"
  project              = var.project
  state_bucket         = var.state_bucket
  operators            = var.operators
  analysts             = var.analysts
  billing_account      = var.billing_account
  environment          = var.environment
  pull_requests        = local.pull_requests
  github_repository    = var.github_repository
  github_repository_id = var.github_repository_id
  depends_on           = [google_project_service.this]
}

module "warehouse" {
  source                = "./modules/warehouse"
  project               = var.project
  location              = var.location
  identities            = module.identity.emails
  analysts              = var.analysts
  share_stream_status   = var.loaded
  stage_expiration_days = 7
  depends_on            = [google_project_service.this]
}

module "lake" {
  source       = "./modules/lake"
  project      = var.project
  location     = var.location
  name         = var.lake_bucket
  landing_days = var.landing_days
  staged_days  = var.staged_days
  ingest       = module.identity.emails["ingest"]
  depends_on   = [google_project_service.this]
}

module "secrets" {
  source      = "./modules/secrets"
  project     = var.project
  region      = var.region
  connections = var.connections
  reader      = module.identity.emails["airflow"]
  depends_on  = [google_project_service.this]
}

module "runtime" {
  source       = "./modules/runtime"
  project      = var.project
  region       = var.region
  machine_type = var.machine_type
  airflow      = module.identity.emails["airflow"]
  deploy       = module.identity.emails["deploy"]
  operators    = var.operators
  depends_on   = [google_project_service.this]
}

module "monitoring" {
  source          = "./modules/monitoring"
  project         = var.project
  project_number  = var.project_number
  location        = var.location
  alert_email     = var.alert_email
  billing_account = var.billing_account
  monthly_budget  = var.monthly_budget
  audit_log_days  = var.audit_log_days
  watcher         = module.identity.emails["watcher"]
  watch_warehouse = var.loaded
  clients_file    = "${path.root}/${var.clients_file}"
  depends_on      = [google_project_service.this, module.warehouse]
}
