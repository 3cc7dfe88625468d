// External Secrets' controller with the stores of this build.
package main

import (
	"github.com/external-secrets/external-secrets/cmd/controller"
	_ "github.com/external-secrets/external-secrets/pkg/register"
)

func main() {
	controller.Execute()
}
