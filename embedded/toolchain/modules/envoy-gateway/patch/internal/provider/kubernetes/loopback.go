package kubernetes

import (
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	egv1a1 "github.com/envoyproxy/gateway/api/v1alpha1"
)

func init() {
	healthProbeBindAddress = egv1a1.GatewayMetricsHost + healthProbeBindAddress
	metricsserver.DefaultBindAddress = egv1a1.GatewayMetricsHost + metricsserver.DefaultBindAddress
}
