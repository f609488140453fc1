variable "project" { type = string }
variable "region" { type = string }
variable "connections" { type = set(string) }
variable "reader" { type = string }
