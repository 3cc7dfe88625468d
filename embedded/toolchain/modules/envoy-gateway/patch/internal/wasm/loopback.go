package wasm

import egv1a1 "github.com/envoyproxy/gateway/api/v1alpha1"

var listenHost = egv1a1.GatewayMetricsHost
