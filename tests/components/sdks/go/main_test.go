package main

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

type engine struct {
	inputs map[string]resource.PropertyMap
}

func (e engine) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	e.inputs[args.TypeToken] = args.Inputs
	return "", resource.PropertyMap{}, nil
}

func (engine) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) { return nil, nil }

func TestTheEngineIsSentTheComponentWithItsArguments(t *testing.T) {
	sent := engine{map[string]resource.PropertyMap{}}
	program := func(ctx *pulumi.Context) error { return teams(ctx) }
	if err := pulumi.RunErr(program, pulumi.WithMocks("own", "test", sent)); err != nil {
		t.Fatal(err)
	}
	inputs := sent.inputs["corral:index:Tenancy"].Mappable()
	tenant := inputs["tenants"].([]interface{})[0].(map[string]interface{})
	addresses := inputs["addresses"].([]interface{})[0].(map[string]interface{})
	if tenant["namespace"] != "research" || addresses["port"] != 443.0 {
		t.Fatal(inputs)
	}
}
