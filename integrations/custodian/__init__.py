"""
Policies of Cloud Custodian (c7n) to policies of ours: exactly, or not at all.

`bursar import custodian` reads the files and calls `integrations.custodian.importing.import_policies`.
"""
