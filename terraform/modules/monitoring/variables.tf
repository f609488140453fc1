variable "project" { type = string }
variable "project_number" { type = string }
variable "location" { type = string }
variable "alert_email" { type = string }
variable "billing_account" { type = string }
variable "monthly_budget" { type = number }
variable "audit_log_days" { type = number }
variable "watcher" { type = string }

variable "clients_file" {
  description = "The deployment's clients, as TRIBUTARY_CLIENTS_FILE names them."
  type        = string
}

variable "watch_warehouse" {
  description = "Whether the ops tables exist, so that they can be watched."
  type        = bool
}
