package main

import "flag"

var webhookHost = flag.String("webhook-host", "", "The address that the webhook server binds to; all when empty.")
