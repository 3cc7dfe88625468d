{{- define "stand-in.fullname" -}}
{{ .Values.fullnameOverride | default .Release.Name }}
{{- end }}

{{- define "stand-in.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app: {{ include "stand-in.fullname" . }}
{{- end }}

{{- define "stand-in.labels" -}}
{{ include "stand-in.selector" . }}
corral.dev/stand-in: "true"
{{- end }}
