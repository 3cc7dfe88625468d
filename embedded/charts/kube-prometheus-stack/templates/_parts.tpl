{{- define "stand-in.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
corral.dev/stand-in: "true"
{{- end }}

{{- define "stand-in.fullname" -}}
{{ .Values.fullnameOverride | default (printf "%s-kube-prometheus-stack" .Release.Name | trunc 26 | trimSuffix "-") }}
{{- end }}

{{- define "stand-in.grafana" -}}
{{ .Values.grafana.fullnameOverride | default (printf "%s-grafana" .Release.Name) }}
{{- end }}

{{- /* An image from the global registry when one is set, else from its own; by digest when its values have one. */}}
{{- define "stand-in.image" -}}
{{ .root.Values.global.imageRegistry | default .registry }}/{{ .repository }}:{{ .tag }}{{ with .image.sha }}@sha256:{{ . }}{{ end }}
{{- end }}

{{- define "stand-in.pullSecrets" -}}
{{- with .Values.global.imagePullSecrets }}
imagePullSecrets: {{ toJson . }}
{{- end }}
{{- end }}

{{- /* Selects everything when the key is false, else only what carries this release's label. */}}
{{- define "stand-in.selector" -}}
{{- if .only -}}
{matchLabels: {release: {{ .root.Release.Name }}}}
{{- else -}}
{}
{{- end }}
{{- end }}
