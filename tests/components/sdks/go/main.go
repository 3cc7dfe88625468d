// Command small is a program with a component of the generated SDK.
package main

import (
	"example.com/pulumi-corral/sdk/go/corral"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error { return teams(ctx) })
}

func teams(ctx *pulumi.Context, cluster ...pulumi.ProviderResource) error {
	teams, err := corral.NewTenancy(ctx, "teams", &corral.TenancyArgs{
		Tenants:   []corral.TenantArgs{{Name: "research", Namespace: "research"}},
		Addresses: []corral.AddressesArgs{{Cidrs: pulumi.ToStringArray([]string{"10.1.0.0/16"}), Port: 443}},
	}, pulumi.Providers(cluster...))
	if err != nil {
		return err
	}
	ctx.Export("namespaces", teams.Namespaces)
	return nil
}
