{{- define "bursar.name" -}}
{{- if contains "bursar" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-bursar" (.Release.Name | trunc 43 | trimSuffix "-") }}{{ end }}
{{- end }}

{{- define "bursar.labels" -}}
app.kubernetes.io/name: bursar
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "bursar.selector" -}}
app.kubernetes.io/name: bursar
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "bursar.account" -}}
{{ .Values.serviceAccount.name | default (include "bursar.name" .) }}
{{- end }}

{{- define "bursar.configMap" -}}
{{ .Values.existingConfigMap | default (printf "%s-config" (include "bursar.name" .)) }}
{{- end }}

{{- define "bursar.policiesMap" -}}
{{ .Values.existingPolicies.name | default (printf "%s-policies" (include "bursar.name" .)) }}
{{- end }}

{{- define "bursar.policyFiles" -}}
{{ if .Values.existingPolicies.name }}{{ toJson .Values.existingPolicies.files }}{{ else }}{{ keys .Values.policies | sortAlpha | toJson }}{{ end }}
{{- end }}

{{- define "bursar.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}{{ else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- /* What asks the page for a path: from the node, or from inside where it listens there alone. */ -}}
{{- define "bursar.probe" -}}
{{- if .values.noAuth -}}
exec: {command: [python, -c, {{ printf "from urllib.request import urlopen; urlopen('http://127.0.0.1:%v%s')" .values.port .path | quote }}]}
timeoutSeconds: 5
{{- else -}}
httpGet: {path: {{ .path }}, port: http}
{{- end }}
{{- end }}

{{- /* A pod that runs `bursar` with the arguments given; call with root, arguments and resources. */ -}}
{{- define "bursar.pod" -}}
{{- $ := .root -}}
serviceAccountName: {{ include "bursar.account" $ }}
automountServiceAccountToken: {{ $.Values.serviceAccount.tokens }}
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- with $.Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with $.Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with $.Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with $.Values.affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: bursar
    image: {{ include "bursar.image" $ }}
    imagePullPolicy: {{ $.Values.image.pullPolicy }}
    args: {{ toJson .arguments }}
    workingDir: /etc/bursar
    {{- with $.Values.env }}
    env: {{ toYaml . | nindent 6 }}
    {{- end }}
    {{- with $.Values.existingSecret }}
    envFrom:
      - secretRef: {name: {{ . }}}
    {{- end }}
    {{- if .port }}
    ports:
      - {name: http, containerPort: {{ .port }}}
    livenessProbe: {{ include "bursar.probe" (dict "values" $.Values.serve "path" "/healthz") | nindent 6 }}
    readinessProbe: {{ include "bursar.probe" (dict "values" $.Values.serve "path" "/readyz") | nindent 6 }}
    {{- end }}
    resources: {{ toYaml .resources | nindent 6 }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities: {drop: [ALL]}
    volumeMounts:
      - {name: config, mountPath: /etc/bursar, readOnly: true}
      - {name: tmp, mountPath: /tmp}
      {{- if $.Values.persistence.enabled }}
      - {name: state, mountPath: /var/lib/bursar}
      {{- end }}
volumes:
  - name: config
    projected:
      sources:
        - configMap: {name: {{ include "bursar.configMap" $ }}}
        {{- with include "bursar.policyFiles" $ | fromJsonArray }}
        - configMap:
            name: {{ include "bursar.policiesMap" $ }}
            items:
              {{- range . }}
              - {key: {{ . }}, path: policies/{{ . }}}
              {{- end }}
        {{- end }}
  - name: tmp
    emptyDir: {sizeLimit: 256Mi}
  {{- if $.Values.persistence.enabled }}
  - name: state
    persistentVolumeClaim:
      claimName: {{ $.Values.persistence.existingClaim | default (printf "%s-state" (include "bursar.name" $)) }}
  {{- end }}
{{- end }}
