variable "project" { type = string }
variable "state_bucket" { type = string }
variable "operators" { type = string }
variable "analysts" { type = string }
variable "billing_account" { type = string }
variable "environment" { type = string }
variable "github_repository" { type = string }
variable "github_repository_id" { type = string }

variable "pull_requests" {
  description = "Whether this environment has the identity that builds pull requests."
  type        = bool
}
