// Package resolver: the secret stores of clouds, whose SDKs this build leaves out.
package resolver

import (
	"context"
	"errors"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	corev1listers "k8s.io/client-go/listers/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kedav1alpha1 "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
)

var errNoCloud = errors.New("this build of KEDA has no secret store of a cloud")

type absentStore struct{}

func NewAzureKeyVaultHandler(*kedav1alpha1.AzureKeyVault) *azureStore { return &azureStore{} }

func NewGCPSecretManagerHandler(*kedav1alpha1.GCPSecretManager) *absentStore { return &absentStore{} }

func NewAwsSecretManagerHandler(*kedav1alpha1.AwsSecretManager) *awsStore { return &awsStore{} }

func (*absentStore) Initialize(
	context.Context, client.Client, logr.Logger, string, corev1listers.SecretLister,
) error {
	return errNoCloud
}

func (*absentStore) Read(context.Context, string, string) (string, error) { return "", errNoCloud }

type azureStore struct{ absentStore }

type awsStore struct{}

func (*awsStore) Initialize(
	context.Context, client.Client, logr.Logger, string, corev1listers.SecretLister, *corev1.PodSpec,
) error {
	return errNoCloud
}

func (*awsStore) Read(context.Context, logr.Logger, string, string, string, string) (string, error) {
	return "", errNoCloud
}

func (*awsStore) Stop() {}
