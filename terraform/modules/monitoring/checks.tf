# Checks that BigQuery runs by itself every hour, whether Airflow lives or not. A check is a query that ends in an error.

locals {
  streams = jsondecode(file("${path.module}/freshness.json")).streams
  clients = yamldecode(file(var.clients_file))

  # Every stream of every client that the marts wait for, with the hours after which it is stale.
  expected = flatten([
    for stream in local.streams : [
      for client in lookup(local.clients, stream.source, []) : {
        source    = stream.source
        stream    = stream.stream
        client_id = client.client_id
        hours     = stream.hours
      } if lookup(client, "required", true)
    ]
  ])

  checks = {
    stale = {
      title   = "A stream is stale"
      runbook = "stream-stale.md"
      sql     = templatefile("${path.module}/sql/stale.sql", { project = var.project, expected = local.expected })
    }
    rejects = {
      title   = "Records break their contract"
      runbook = "rejects.md"
      sql     = templatefile("${path.module}/sql/rejects.sql", { project = var.project })
    }
  }
}

resource "google_bigquery_data_transfer_config" "check" {
  for_each             = var.watch_warehouse ? local.checks : {}
  project              = var.project
  location             = var.location
  display_name         = "tributary check: ${each.key}"
  data_source_id       = "scheduled_query"
  schedule             = "every 1 hours"
  service_account_name = var.watcher
  params               = { query = each.value.sql }
}
