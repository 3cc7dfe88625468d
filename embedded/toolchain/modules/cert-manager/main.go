// The programs of cert-manager as one command: controller, webhook, cainjector and the check of its API.
//
// Upstream's commands are modules of their own that no module proxy serves; the code behind them is in the main
// module. Unlike upstream's, every server here binds to --bind-address. The issuers are `ca` and `selfSigned`.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	kscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/klog/v2"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/cert-manager/cert-manager/internal/kube"
	internalwebhook "github.com/cert-manager/cert-manager/internal/webhook"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/cert-manager/cert-manager/pkg/controller"
	"github.com/cert-manager/cert-manager/pkg/controller/cainjector"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/approver"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/ca"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/selfsigned"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/issuing"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/keymanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/metrics"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/readiness"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/requestmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/revisionmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/trigger"
	_ "github.com/cert-manager/cert-manager/pkg/controller/clusterissuers"
	_ "github.com/cert-manager/cert-manager/pkg/controller/issuers"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/cert-manager/cert-manager/pkg/util"
	"github.com/cert-manager/cert-manager/pkg/util/cmapichecker"
	webhookoptions "github.com/cert-manager/cert-manager/pkg/webhook/options"
)

const (
	workers     = 5 // Upstream's default of each controller.
	healthPort  = "9403"
	metricsPort = "9402"
)

var programs = map[string]func(context.Context, *pflag.FlagSet, []string) error{
	"controller":      runController,
	"webhook":         runWebhook,
	"cainjector":      runCAInjector,
	"startupapicheck": runCheck,
}

func main() {
	if len(os.Args) < 2 || programs[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "cert-manager: the first argument is controller, webhook, cainjector or startupapicheck")
		os.Exit(2)
	}
	name := os.Args[1]
	logger := klog.Background().WithName(name)
	ctrl.SetLogger(logger)
	ctx := logf.NewContext(ctrl.SetupSignalHandler(), logger)
	if err := programs[name](ctx, pflag.NewFlagSet(name, pflag.ExitOnError), os.Args[2:]); err != nil {
		fmt.Fprintf(os.Stderr, "cert-manager %s: %v\n", name, err)
		os.Exit(1)
	}
}

// common holds the flags of controller and cainjector.
type common struct {
	kubeconfig, bind, electionNamespace, metrics string
}

func (c *common) add(flags *pflag.FlagSet) {
	logging := flag.NewFlagSet("", flag.ExitOnError)
	klog.InitFlags(logging)
	flags.AddGoFlagSet(logging)
	flags.StringVar(&c.kubeconfig, "kubeconfig", "", "Kubeconfig; the pod's own identity when empty.")
	flags.StringVar(&c.bind, "bind-address", "", "The address that servers bind to; all when empty.")
	flags.StringVar(&c.electionNamespace, "leader-election-namespace", "kube-system", "Namespace of the lease.")
	flags.StringVar(&c.metrics, "metrics-listen-address", metricsPort, "0: no metrics.")
}

func (c *common) metricsAddress() string {
	if c.metrics == "0" {
		return "0"
	}
	return net.JoinHostPort(c.bind, metricsPort)
}

func runController(ctx context.Context, flags *pflag.FlagSet, arguments []string) error {
	var c common
	var options controller.ContextOptions
	c.add(flags)
	flags.StringVar(&options.ClusterResourceNamespace, "cluster-resource-namespace", "kube-system", "Namespace of ClusterIssuers' Secrets.")
	flags.BoolVar(&options.EnableOwnerRef, "enable-certificate-owner-ref", false, "Secrets go with their Certificates.")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	options.Kubeconfig = c.kubeconfig
	options.KubernetesAPIQPS, options.KubernetesAPIBurst = 20, 50
	options.CopiedAnnotationPrefixes = []string{"*", "-kubectl.kubernetes.io/", "-fluxcd.io/", "-argocd.argoproj.io/"}
	options.CertificateRequestMinimumBackoffDuration = time.Hour
	options.CertificateRequestMaximumBackoffDuration = 32 * time.Hour

	config, err := kube.BuildClientConfig("", c.kubeconfig)
	if err != nil {
		return err
	}
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		LeaderElection:                true,
		LeaderElectionID:              "cert-manager-controller",
		LeaderElectionNamespace:       c.electionNamespace,
		LeaderElectionReleaseOnCancel: true,
		HealthProbeBindAddress:        net.JoinHostPort(c.bind, healthPort),
		LivenessEndpointName:          "/livez",
		Metrics:                       metricsserver.Options{BindAddress: "0"},
	})
	if err != nil {
		return err
	}
	if err := mgr.AddHealthzCheck("ping", func(*http.Request) error { return nil }); err != nil {
		return err
	}
	err = mgr.Add(manager.RunnableFunc(func(ctx context.Context) error {
		return controllers(ctx, options, c.metricsAddress())
	}))
	if err != nil {
		return err
	}
	return mgr.Start(ctx)
}

func controllers(ctx context.Context, options controller.ContextOptions, metrics string) error {
	factory, err := controller.NewContextFactory(ctx, options)
	if err != nil {
		return err
	}
	shared, err := factory.Build()
	if err != nil {
		return err
	}
	if metrics != "0" {
		listener, err := net.Listen("tcp", metrics)
		if err != nil {
			return err
		}
		server := shared.Metrics.NewServer(listener)
		defer server.Close()
		go server.Serve(listener)
	}
	failed := make(chan error, len(controller.Known()))
	var started []controller.Interface
	for name, construct := range controller.Known() {
		one, err := construct(factory)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		started = append(started, one)
	}
	shared.SharedInformerFactory.Start(ctx.Done())
	shared.KubeSharedInformerFactory.Start(ctx.Done())
	var group wait.Group
	for _, one := range started {
		group.Start(func() { failed <- one.Run(workers, ctx) })
	}
	err = <-failed
	if ctx.Err() != nil {
		group.Wait()
	}
	return err
}

func runWebhook(ctx context.Context, flags *pflag.FlagSet, arguments []string) error {
	options, err := webhookoptions.NewWebhookConfiguration()
	if err != nil {
		return err
	}
	var bind string
	webhookoptions.AddConfigFlags(flags, options)
	flags.StringVar(&bind, "bind-address", "", "The address that servers bind to; all when empty.")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if err := logf.ValidateAndApply(&options.Logging); err != nil {
		return err
	}
	server, err := internalwebhook.NewCertManagerWebhookServer(logf.FromContext(ctx), *options)
	if err != nil {
		return err
	}
	return serve(ctx, server, bind, int(options.SecurePort), int(options.HealthzPort), options.MetricsListenAddress)
}

func runCAInjector(ctx context.Context, flags *pflag.FlagSet, arguments []string) error {
	var c common
	c.add(flags)
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	config, err := kube.BuildClientConfig("", c.kubeconfig)
	if err != nil {
		return err
	}
	config = util.RestConfigWithUserAgent(config)
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		kscheme.AddToScheme, cmapi.AddToScheme, apiextensions.AddToScheme, apiregistration.AddToScheme,
	} {
		utilruntime.Must(add(scheme))
	}
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                        scheme,
		LeaderElection:                true,
		LeaderElectionID:              "cert-manager-cainjector-leader-election",
		LeaderElectionNamespace:       c.electionNamespace,
		LeaderElectionReleaseOnCancel: true,
		Client:                        client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&corev1.Secret{}}}},
		Metrics:                       metricsserver.Options{BindAddress: c.metricsAddress()},
	})
	if err != nil {
		return err
	}
	err = cainjector.RegisterAllInjectors(ctx, mgr, cainjector.SetupOptions{
		EnableCertificatesDataSource: true,
		EnabledReconcilersFor: map[string]bool{
			cainjector.MutatingWebhookConfigurationName:   true,
			cainjector.ValidatingWebhookConfigurationName: true,
			cainjector.APIServiceName:                     true,
			cainjector.CustomResourceDefinitionName:       true,
		},
	})
	if err != nil {
		return err
	}
	return mgr.Start(ctx)
}

// runCheck waits until the API server takes a CertificateRequest by way of the webhook.
func runCheck(ctx context.Context, flags *pflag.FlagSet, arguments []string) error {
	var kubeconfig, namespace string
	var limit time.Duration
	flags.StringVar(&kubeconfig, "kubeconfig", "", "Kubeconfig; the pod's own identity when empty.")
	flags.StringVar(&namespace, "namespace", os.Getenv("POD_NAMESPACE"), "Where the request is tried.")
	flags.DurationVar(&limit, "wait", 0, "How long to wait.")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	config, err := kube.BuildClientConfig("", kubeconfig)
	if err != nil {
		return err
	}
	checker, err := cmapichecker.New(config, namespace)
	if err != nil {
		return err
	}
	last := error(nil)
	err = wait.PollUntilContextTimeout(ctx, time.Second, limit, true, func(ctx context.Context) (bool, error) {
		last = checker.Check(ctx)
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("%w: %v", err, last)
	}
	fmt.Println("The cert-manager API is ready")
	return nil
}
