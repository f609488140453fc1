output "bucket" {
  value = google_storage_bucket.lake.name
}

output "settings" {
  value = google_storage_bucket.lake
}

output "grants" {
  value = flatten([
    for binding in jsondecode(google_storage_bucket_iam_policy.lake.policy_data).bindings : [
      for member in binding.members : "${member} | ${binding.role} | bucket ${google_storage_bucket_iam_policy.lake.bucket}"
    ]
  ])
}
