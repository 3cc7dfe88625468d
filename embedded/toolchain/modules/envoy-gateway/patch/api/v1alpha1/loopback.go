package v1alpha1

import "os"

// Addresses of Envoy Gateway's own servers: where its pod is on this machine.
var (
	GatewayAdminHost   = podAddress()
	GatewayMetricsHost = podAddress()
)

func podAddress() string {
	if address := os.Getenv("CORRAL_ADDRESS"); address != "" {
		return address
	}
	return "127.0.0.1"
}
