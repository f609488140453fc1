output "grants" {
  value = [for grant in google_secret_manager_secret_iam_member.reader : "${grant.member} | ${grant.role} | secret ${grant.secret_id}"]
}
