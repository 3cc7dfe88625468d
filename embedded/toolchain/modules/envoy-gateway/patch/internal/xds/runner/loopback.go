package runner

import egv1a1 "github.com/envoyproxy/gateway/api/v1alpha1"

// XdsServerAddress is where proxies fetch their configuration.
var XdsServerAddress = egv1a1.GatewayMetricsHost
