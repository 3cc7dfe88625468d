package runner

import egv1a1 "github.com/envoyproxy/gateway/api/v1alpha1"

// XdsGrpcSotwConfigServerAddress is where a rate limit service fetches its configuration.
var XdsGrpcSotwConfigServerAddress = egv1a1.GatewayMetricsHost
