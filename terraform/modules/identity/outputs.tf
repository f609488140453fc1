output "emails" {
  value = local.emails
}

output "provider" {
  value = google_iam_workload_identity_pool_provider.github.name
}

output "grants" {
  value = concat(
    [for grant in google_project_iam_member.account : "${grant.member} | ${grant.role} | project"],
    ["${google_project_iam_member.analysts.member} | ${google_project_iam_member.analysts.role} | project"],
    [
      for permission in google_project_iam_custom_role.settings_reader.permissions :
      "role ${google_project_iam_custom_role.settings_reader.role_id} | ${permission} | project"
    ],
    [
      for name, grant in google_service_account_iam_member.impersonation :
      "${grant.member} | ${grant.role} | account ${local.emails[local.impersonations[name].as]}"
    ],
    [
      for name, grant in google_service_account_iam_member.workflow :
      "workflow ${regex("/subject/(.*)$", grant.member)[0]} | ${grant.role} | account ${local.emails[name]}"
    ],
    [for grant in google_storage_bucket_iam_member.state : "${grant.member} | ${grant.role} | bucket ${grant.bucket}"],
    [
      for grant in google_billing_account_iam_member.budget :
      "${grant.member} | ${grant.role} | billing ${grant.billing_account_id}"
    ],
  )
}
