"""The Stripe simulator: `app` routes, `lists` pages, `events` derives events, `errors` says no."""
