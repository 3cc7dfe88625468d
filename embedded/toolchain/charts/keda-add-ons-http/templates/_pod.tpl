{{- define "http.labels" -}}
{app.kubernetes.io/component: {{ . }}, app.kubernetes.io/name: http-add-on, app.kubernetes.io/part-of: keda-add-ons-http, app.kubernetes.io/managed-by: Helm, app.kubernetes.io/instance: keda-add-ons-http}
{{- end }}
{{- define "http.pod" }}
{{- $root := index . 0 }}{{- $own := index . 1 }}
{{- with $own.imagePullSecrets }}
imagePullSecrets: {{ toJson . }}
{{- end }}
securityContext: {{ toJson $root.Values.podSecurityContext }}
nodeSelector: {{ toJson (merge (dict "kubernetes.io/os" "linux") $own.nodeSelector) }}
{{- with $own.tolerations }}
tolerations: {{ toJson . }}
{{- end }}
{{- with $own.topologySpreadConstraints }}
topologySpreadConstraints: {{ toJson . }}
{{- end }}
{{- end }}
{{- define "http.container" }}
{{- $root := index . 0 }}{{- $own := index . 1 }}
imagePullPolicy: {{ $own.pullPolicy }}
args: [--zap-log-level=info, --zap-encoder=console, --zap-time-encoding=rfc3339]
resources: {{ toJson $own.resources }}
securityContext: {{ toJson $root.Values.securityContext }}
{{- end }}
