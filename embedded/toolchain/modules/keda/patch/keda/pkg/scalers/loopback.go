package scalers

import (
	"context"
	"net"
	"net/url"
	"os"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/config"
)

// externalMetricType stands in a file of a scaler that this build leaves out.
const externalMetricType = "External"

// clusterAddress is where the Service that `address` names is on this machine, which has no cluster DNS.
func clusterAddress(address string) string {
	host, port, err := net.SplitHostPort(address)
	parts := strings.Split(host, ".")
	if err != nil || len(parts) < 2 || net.ParseIP(host) != nil || os.Getenv("CORRAL_ADDRESS") == "" {
		return address
	}
	settings, err := config.GetConfig()
	if err != nil {
		return address
	}
	reader, err := client.New(settings, client.Options{})
	if err != nil {
		return address
	}
	var service corev1.Service
	name := types.NamespacedName{Namespace: parts[1], Name: parts[0]}
	if err := reader.Get(context.Background(), name, &service); err != nil {
		return address
	}
	return net.JoinHostPort(service.Spec.ClusterIP, port)
}

// clusterURL is `address` with the Service that it names where that is on this machine.
func clusterURL(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return address
	}
	parsed.Host = clusterAddress(parsed.Host)
	return parsed.String()
}
