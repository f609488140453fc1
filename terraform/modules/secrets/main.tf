# Places for secrets, without their values: Terraform's state is no place for a key.

locals {
  # Airflow's Secret Manager backend looks for a connection under this name.
  secrets = merge(
    { for connection in var.connections : "airflow-connections-${connection}" => "Key of a client or for personal data, as Airflow's connection JSON" },
    { "tributary-env" = "The machine's .env" },
  )
}

resource "google_secret_manager_secret" "this" {
  for_each    = local.secrets
  project     = var.project
  secret_id   = each.key
  annotations = { purpose = each.value }
  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each  = local.secrets
  project   = var.project
  secret_id = google_secret_manager_secret.this[each.key].secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = "serviceAccount:${var.reader}"
}
