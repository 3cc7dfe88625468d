import * as pulumi from "@pulumi/pulumi";
import * as corral from "./corral";

declare const cluster: pulumi.ProviderResource;

const teams = new corral.Tenancy(
    "teams",
    { tenants: [{ name: "research", namespace: "research" }] },
    { providers: [cluster] },
);
export const namespaces: pulumi.Output<{ [key: string]: string }> = teams.namespaces;
