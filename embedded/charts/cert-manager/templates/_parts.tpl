{{- define "stand-in.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
corral.dev/stand-in: "true"
{{- end }}

{{- /* Image of a program: the full repository when given, else registry/namespace/name. */}}
{{- define "stand-in.image" -}}
{{- $values := .root.Values -}}
{{ .image.repository | default (printf "%s/%s/%s" $values.imageRegistry $values.imageNamespace .image.name) }}:{{ .root.Chart.AppVersion }}
{{- end }}

{{- define "stand-in.deployment" }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "stand-in.labels" .root | nindent 4 }}
spec:
  replicas: {{ .replicas }}
  selector:
    matchLabels: {app: {{ .name }}}
  template:
    metadata:
      labels: {app: {{ .name }}}
    spec:
      {{- with .root.Values.global.imagePullSecrets }}
      imagePullSecrets: {{ toJson . }}
      {{- end }}
      securityContext:
        runAsNonRoot: true
        seccompProfile: {type: RuntimeDefault}
      containers:
        - name: {{ .name }}
          image: {{ include "stand-in.image" . }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
          args: {{ toJson .args }}
{{- end }}
