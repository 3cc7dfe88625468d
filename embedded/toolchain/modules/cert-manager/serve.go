package main

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strconv"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/component-base/cli/flag"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/webhook"

	"github.com/cert-manager/cert-manager/pkg/webhook/admission"
	"github.com/cert-manager/cert-manager/pkg/webhook/server"
)

// serve runs the webhook as server.Run does, on one address instead of all.
func serve(ctx context.Context, s *server.Server, bind string, port, healthPort int, metrics string) error {
	minimum, err := flag.TLSVersion(s.MinTLSVersion)
	if err != nil {
		return err
	}
	if metrics != "0" {
		metrics = net.JoinHostPort(bind, metricsPort)
	}
	mgr, err := ctrl.NewManager(&rest.Config{}, ctrl.Options{
		Scheme:  s.ResourceScheme,
		Metrics: metricsserver.Options{BindAddress: metrics},
		WebhookServer: webhook.NewServer(webhook.Options{
			Host: bind,
			Port: port,
			TLSOpts: []func(*tls.Config){func(config *tls.Config) {
				config.MinVersion = minimum
				config.GetCertificate = s.CertificateSource.GetCertificate
			}},
		}),
	})
	if err != nil {
		return err
	}
	if err := mgr.Add(s.CertificateSource); err != nil {
		return err
	}
	health := &http.Server{Addr: net.JoinHostPort(bind, strconv.Itoa(healthPort)), Handler: answers(s), ReadHeaderTimeout: 5 * time.Second}
	err = mgr.Add(manager.RunnableFunc(func(ctx context.Context) error {
		defer health.Close()
		failed := make(chan error, 1)
		go func() { failed <- health.ListenAndServe() }()
		select {
		case err := <-failed:
			return err
		case <-ctx.Done():
			return nil
		}
	}))
	if err != nil {
		return err
	}
	hooks := mgr.GetWebhookServer()
	hooks.Register("/mutate", admission.NewCustomMutationWebhook(s.MutationWebhook))
	hooks.Register("/validate", admission.NewCustomValidationWebhook(mgr.GetScheme(), s.ValidationWebhook))
	return mgr.Start(ctx)
}

func answers(s *server.Server) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/livez", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		if !s.CertificateSource.Healthy() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	return mux
}
