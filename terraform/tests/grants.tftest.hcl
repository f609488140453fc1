# The complete list of who may do what: one grant too many fails, and so does one that is missing.

mock_provider "google" {}

variables {
  environment          = "prod"
  project              = "prod-project"
  project_number       = "100000000001"
  lake_bucket          = "lake"
  state_bucket         = "state"
  analysts             = "analysts@example.com"
  operators            = "operators@example.com"
  github_repository    = "example/tributary"
  github_repository_id = "7"
  billing_account      = "000000-000000-000000"
  monthly_budget       = 500
  alert_email          = "alerts@example.com"
}

run "expected" {
  module {
    source = "./tests/expected"
  }
}

run "prod" {
  assert {
    condition     = length(setsubtract(output.grants, run.expected.prod)) == 0
    error_message = "Not expected: ${join("; ", setsubtract(output.grants, run.expected.prod))}"
  }
  assert {
    condition     = length(setsubtract(run.expected.prod, output.grants)) == 0
    error_message = "Missing: ${join("; ", setsubtract(run.expected.prod, output.grants))}"
  }
}

run "prod_after_the_first_load" {
  variables {
    loaded = true
  }
  assert {
    condition     = output.grants == setunion(run.expected.prod, run.expected.loaded)
    error_message = "Different: ${join("; ", setsubtract(output.grants, setunion(run.expected.prod, run.expected.loaded)))}"
  }
}

run "dev_lets_pull_requests_build_and_shares_nothing_with_prod" {
  variables {
    environment = "dev"
    project     = "dev-project"
  }
  # The workflows are those of its own environment, everything else is as in prod with its own names.
  assert {
    condition = output.grants == setunion(run.expected.dev, [
      for grant in run.expected.prod : replace(grant, "prod-project", "dev-project") if !strcontains(grant, "environment:prod")
    ])
    error_message = "Grants of dev: ${join("; ", output.grants)}"
  }
  assert {
    condition     = alltrue([for grant in output.grants : !strcontains(grant, "prod-project")])
    error_message = "dev reaches into prod."
  }
}

run "no_role_that_reaches_over_everything" {
  assert {
    condition     = alltrue([for grant in output.grants : !can(regex("roles/(owner|editor|viewer) ", grant))])
    error_message = "A basic role is given to somebody."
  }
}
