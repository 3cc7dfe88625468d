package k8s

import (
	"os"
	"strings"
)

// local is where a pod is on this machine: 10.P.x.y is the pod at 127.P.x.y, of the P that this pod has.
func local(address string) string {
	own := strings.Split(os.Getenv("CORRAL_ADDRESS"), ".")
	if len(own) == 4 && strings.HasPrefix(address, "10."+own[1]+".") {
		return "127" + strings.TrimPrefix(address, "10")
	}
	return address
}
