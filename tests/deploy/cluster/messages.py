"""
The messages of Kubernetes' protocol buffers that are read: number of a field to its name and type.

The types: `text`, `number`, `yes` (a boolean), `bytes`, another message; `*` before it for several, `{}` around it for
a map with text as key. The fields of a message named `""` are fields of the message around it, and `-` is left out.
"""

META = {1: ("metadata", "ObjectMeta")}
NAMED = {1: ("", "LocalObjectReference")}

MESSAGES = {
    "Secret": META | {2: ("data", "{bytes}"), 3: ("type", "text")},
    "Job": META | {2: ("spec", "JobSpec"), 3: ("status", "-")},
    "ObjectMeta": {
        1: ("name", "text"), 2: ("generateName", "text"), 3: ("namespace", "text"), 5: ("uid", "-"),
        6: ("resourceVersion", "text"), 7: ("generation", "-"), 8: ("creationTimestamp", "-"), 11: ("labels", "{text}"),
        12: ("annotations", "{text}"), 13: ("ownerReferences", "*OwnerReference"), 17: ("managedFields", "-"),
    },
    "OwnerReference": {
        1: ("kind", "text"), 3: ("name", "text"), 4: ("uid", "text"), 5: ("apiVersion", "text"),
        6: ("controller", "yes"), 7: ("blockOwnerDeletion", "yes"),
    },
    "JobSpec": {
        1: ("parallelism", "number"), 2: ("completions", "number"), 3: ("activeDeadlineSeconds", "number"),
        6: ("template", "PodTemplateSpec"), 7: ("backoffLimit", "number"), 8: ("ttlSecondsAfterFinished", "number"),
    },
    "PodTemplateSpec": META | {2: ("spec", "PodSpec")},
    "PodSpec": {
        1: ("volumes", "*Volume"), 2: ("containers", "*Container"), 3: ("restartPolicy", "text"),
        4: ("terminationGracePeriodSeconds", "number"), 8: ("serviceAccountName", "text"),
        14: ("securityContext", "PodSecurityContext"), 21: ("automountServiceAccountToken", "yes"),
        30: ("enableServiceLinks", "yes"),
    },
    "PodSecurityContext": {
        2: ("runAsUser", "number"), 3: ("runAsNonRoot", "yes"), 5: ("fsGroup", "number"), 6: ("runAsGroup", "number"),
        10: ("seccompProfile", "SeccompProfile"),
    },
    "SeccompProfile": {1: ("type", "text")},
    "Container": {
        1: ("name", "text"), 2: ("image", "text"), 4: ("args", "*text"), 5: ("workingDir", "text"),
        7: ("env", "*EnvVar"), 8: ("resources", "ResourceRequirements"), 9: ("volumeMounts", "*VolumeMount"),
        14: ("imagePullPolicy", "text"),
        15: ("securityContext", "SecurityContext"), 19: ("envFrom", "*EnvFromSource"),
    },
    "EnvVar": {1: ("name", "text"), 2: ("value", "text")},
    "EnvFromSource": {3: ("secretRef", "SecretEnvSource")},
    "SecretEnvSource": NAMED,
    "LocalObjectReference": {1: ("name", "text")},
    "ResourceRequirements": {1: ("limits", "{Quantity}"), 2: ("requests", "{Quantity}")},
    "SecurityContext": {
        1: ("capabilities", "Capabilities"), 6: ("readOnlyRootFilesystem", "yes"),
        7: ("allowPrivilegeEscalation", "yes"),
    },
    "Capabilities": {2: ("drop", "*text")},
    "VolumeMount": {1: ("name", "text"), 2: ("readOnly", "yes"), 3: ("mountPath", "text")},
    "Volume": {1: ("name", "text"), 2: ("", "VolumeSource")},
    "VolumeSource": {
        2: ("emptyDir", "EmptyDir"), 10: ("persistentVolumeClaim", "Claim"), 26: ("projected", "Projected"),
    },
    "EmptyDir": {2: ("sizeLimit", "Quantity")},
    "Claim": {1: ("claimName", "text")},
    "Projected": {1: ("sources", "*VolumeProjection")},
    "VolumeProjection": {3: ("configMap", "ConfigMapProjection")},
    "ConfigMapProjection": NAMED | {2: ("items", "*KeyToPath")},
    "KeyToPath": {1: ("key", "text"), 2: ("path", "text")},
}  # fmt: skip
