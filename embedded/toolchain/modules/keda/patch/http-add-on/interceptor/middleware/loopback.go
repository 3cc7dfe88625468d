package middleware

import (
	"context"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// address is where a Service is dialled: by its own address on this machine, which has no cluster DNS.
func (rm *Routing) address(ctx context.Context, service, namespace string, port int32) string {
	var found corev1.Service
	name := types.NamespacedName{Namespace: namespace, Name: service}
	if os.Getenv("CORRAL_ADDRESS") != "" && rm.reader.Get(ctx, name, &found) == nil {
		return fmt.Sprintf("%s:%d", found.Spec.ClusterIP, port)
	}
	return fmt.Sprintf("%s.%s:%d", service, namespace, port)
}
