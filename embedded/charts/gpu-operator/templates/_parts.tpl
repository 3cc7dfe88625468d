{{- define "stand-in.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
corral.dev/stand-in: "true"
{{- end }}

{{- /* One operand of the ClusterPolicy: values under the chart's key, with the chart's version when none is given. */}}
{{- define "stand-in.operand" -}}
{{- $values := index .root.Values .key -}}
{{- if hasKey $values "enabled" }}
enabled: {{ $values.enabled }}
{{- end }}
repository: {{ $values.repository }}
image: {{ $values.image }}
version: {{ $values.version | default .root.Chart.AppVersion | quote }}
{{- with $values.imagePullSecrets }}
imagePullSecrets: {{ toJson . }}
{{- end }}
{{- end }}
