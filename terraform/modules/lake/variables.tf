variable "project" { type = string }
variable "location" { type = string }
variable "name" { type = string }
variable "landing_days" { type = number }
variable "staged_days" { type = number }
variable "ingest" { type = string }
