# Every permission that production gives, written down a second time on purpose: a change of one shows in review.
locals {
  prod = {
    "airflow" = [
      "roles/artifactregistry.reader | images tributary",
      "roles/iam.serviceAccountTokenCreator | account tributary-dbt",
      "roles/iam.serviceAccountTokenCreator | account tributary-ingest",
      "roles/logging.logWriter | project",
      "roles/monitoring.metricWriter | project",
      "roles/secretmanager.secretAccessor | secret airflow-connections-hubspot_default",
      "roles/secretmanager.secretAccessor | secret airflow-connections-pii_default",
      "roles/secretmanager.secretAccessor | secret airflow-connections-stripe_default",
      "roles/secretmanager.secretAccessor | secret tributary-env",
    ]
    "dbt" = [
      "READER | dataset ops",
      "READER | dataset raw",
      "READER | dataset raw_history",
      "WRITER | dataset dq",
      "WRITER | dataset mart",
      "WRITER | dataset staging",
      "projects/prod-project/roles/tributaryColumnTagger | dataset mart",
      "projects/prod-project/roles/tributaryColumnTagger | taxonomy",
      "roles/bigquery.jobUser | project",
      "roles/datacatalog.categoryFineGrainedReader | policy tag address",
      "roles/datacatalog.categoryFineGrainedReader | policy tag email",
      "roles/datacatalog.categoryFineGrainedReader | policy tag free_text",
      "roles/datacatalog.categoryFineGrainedReader | policy tag name",
      "roles/datacatalog.categoryFineGrainedReader | policy tag phone",
    ]
    "deploy" = [
      "roles/artifactregistry.writer | images tributary",
      "roles/compute.osAdminLogin | machine tributary",
      "roles/compute.viewer | project",
      "roles/iam.serviceAccountUser | account tributary-airflow",
      "roles/iap.tunnelResourceAccessor | machine tributary",
    ]
    "group:analysts@example.com" = [
      "READER | dataset mart",
      "roles/bigquery.jobUser | project",
      "roles/bigquerydatapolicy.maskedReader | data policy mask_address",
      "roles/bigquerydatapolicy.maskedReader | data policy mask_email",
      "roles/bigquerydatapolicy.maskedReader | data policy mask_free_text",
      "roles/bigquerydatapolicy.maskedReader | data policy mask_name",
      "roles/bigquerydatapolicy.maskedReader | data policy mask_phone",
    ]
    "group:operators@example.com" = [
      "roles/compute.osAdminLogin | machine tributary",
      "roles/iam.serviceAccountTokenCreator | account tributary-dbt",
      "roles/iam.serviceAccountTokenCreator | account tributary-ingest",
      "roles/iam.serviceAccountUser | account tributary-airflow",
      "roles/iap.tunnelResourceAccessor | machine tributary",
    ]
    "ingest" = [
      "READER | dataset staging",
      "WRITER | dataset ops",
      "WRITER | dataset raw",
      "WRITER | dataset raw_history",
      "WRITER | dataset raw_stage",
      "roles/bigquery.jobUser | project",
      "roles/datacatalog.categoryFineGrainedReader | policy tag address",
      "roles/datacatalog.categoryFineGrainedReader | policy tag email",
      "roles/datacatalog.categoryFineGrainedReader | policy tag free_text",
      "roles/datacatalog.categoryFineGrainedReader | policy tag name",
      "roles/datacatalog.categoryFineGrainedReader | policy tag phone",
      "roles/storage.objectAdmin | bucket lake",
    ]
    "plan" = [
      "projects/prod-project/roles/tributarySettingsReader | project",
      "roles/artifactregistry.reader | project",
      "roles/bigquery.metadataViewer | project",
      "roles/billing.viewer | billing 000000-000000-000000",
      "roles/browser | project",
      "roles/compute.viewer | project",
      "roles/iam.securityReviewer | project",
      "roles/iam.workloadIdentityPoolViewer | project",
      "roles/logging.viewer | project",
      "roles/monitoring.viewer | project",
      "roles/secretmanager.viewer | project",
      "roles/serviceusage.serviceUsageConsumer | project",
      "roles/storage.objectViewer | bucket state",
    ]
    "projectOwners" = [
      "OWNER | dataset dq",
      "OWNER | dataset mart",
      "OWNER | dataset ml",
      "OWNER | dataset ops",
      "OWNER | dataset raw",
      "OWNER | dataset raw_history",
      "OWNER | dataset raw_stage",
      "OWNER | dataset staging",
    ]
    "role tributaryColumnTagger" = [
      "bigquery.tables.setCategory | project",
      "datacatalog.taxonomies.get | project",
    ]
    "role tributarySettingsReader" = [
      "bigquery.dataPolicies.get | project",
      "bigquery.transfers.get | project",
      "datacatalog.taxonomies.get | project",
      "storage.buckets.get | project",
      "storage.buckets.getIamPolicy | project",
    ]
    "terraform" = [
      "roles/artifactregistry.admin | project",
      "roles/bigquery.admin | project",
      "roles/bigquerydatapolicy.admin | project",
      "roles/billing.costsManager | billing 000000-000000-000000",
      "roles/compute.admin | project",
      "roles/datacatalog.categoryAdmin | project",
      "roles/iam.roleAdmin | project",
      "roles/iam.serviceAccountAdmin | project",
      "roles/iam.serviceAccountUser | account tributary-airflow",
      "roles/iam.serviceAccountUser | account tributary-watcher",
      "roles/iam.workloadIdentityPoolAdmin | project",
      "roles/iap.admin | project",
      "roles/logging.configWriter | project",
      "roles/monitoring.admin | project",
      "roles/resourcemanager.projectIamAdmin | project",
      "roles/secretmanager.admin | project",
      "roles/serviceusage.serviceUsageAdmin | project",
      "roles/storage.admin | project",
      "roles/storage.objectAdmin | bucket state",
    ]
    "watcher" = [
      "READER | dataset ops",
      "roles/bigquery.jobUser | project",
    ]
    "workflow repo:example/tributary:environment:prod" = [
      "roles/iam.workloadIdentityUser | account tributary-deploy",
      "roles/iam.workloadIdentityUser | account tributary-terraform",
    ]
    "workflow repo:example/tributary:pull_request" = [
      "roles/iam.workloadIdentityUser | account tributary-plan",
    ]
  }

  # After the first load analysts see the state of the streams.
  loaded = {
    "group:analysts@example.com" = ["roles/bigquery.dataViewer | table ops.stream_status"]
    "view ops.stream_status"     = ["read | dataset ops"]
  }

  # In dev pull requests are built, by an identity that production has not.
  dev = {
    "ci" = [
      "READER | dataset mart",
      "READER | dataset ops",
      "READER | dataset raw",
      "READER | dataset raw_history",
      "READER | dataset staging",
      "roles/bigquery.user | project",
      "roles/datacatalog.categoryFineGrainedReader | policy tag address",
      "roles/datacatalog.categoryFineGrainedReader | policy tag email",
      "roles/datacatalog.categoryFineGrainedReader | policy tag free_text",
      "roles/datacatalog.categoryFineGrainedReader | policy tag name",
      "roles/datacatalog.categoryFineGrainedReader | policy tag phone",
    ]
    "workflow repo:example/tributary:environment:dev" = [
      "roles/iam.workloadIdentityUser | account tributary-deploy",
      "roles/iam.workloadIdentityUser | account tributary-terraform",
    ]
    "workflow repo:example/tributary:pull_request" = [
      "roles/iam.workloadIdentityUser | account tributary-ci",
    ]
  }
}

output "prod" {
  value = toset(flatten([for who, grants in local.prod : [for grant in grants : "${who} | ${grant}"]]))
}

output "loaded" {
  value = toset(flatten([for who, grants in local.loaded : [for grant in grants : "${who} | ${grant}"]]))
}

output "dev" {
  value = toset(flatten([for who, grants in local.dev : [for grant in grants : "${who} | ${grant}"]]))
}
