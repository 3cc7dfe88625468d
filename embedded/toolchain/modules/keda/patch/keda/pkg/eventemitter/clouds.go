// Package eventemitter: the sink of a cloud, whose SDK this build leaves out.
package eventemitter

import (
	"context"
	"errors"

	"github.com/go-logr/logr"

	eventingv1alpha1 "github.com/kedacore/keda/v2/apis/eventing/v1alpha1"
	kedav1alpha1 "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
)

func NewAzureEventGridTopicHandler(
	context.Context, string, *eventingv1alpha1.AzureEventGridTopicSpec, map[string]string,
	kedav1alpha1.AuthPodIdentity, logr.Logger,
) (EventDataHandler, error) {
	return nil, errors.New("this build of KEDA has no Azure Event Grid")
}
