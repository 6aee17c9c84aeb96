"""Kinds of resources that moto has and its CloudFormation does not make: alarms, schedules and what functions have."""

from moto.awslambda.models import FunctionUrlConfig, lambda_backends
from moto.cloudformation.parsing import get_model_list, get_model_map, get_name_type_map
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.common_models import CloudFormationModel
from moto.dynamodb.models.table import Table
from moto.scheduler.models import scheduler_backends


class Made(CloudFormationModel):
    """A resource of a stack that was made through its backend."""

    kind = name_property = ""

    def __init__(self, name, properties, account, region):
        self.name, self.account, self.region = name, account, region
        self.make(properties)

    @property
    def physical_resource_id(self):
        return self.name

    @classmethod
    def create_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name, **_):
        return cls(resource_name, cloudformation_json["Properties"], account_id, region_name)

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name
    ):
        original_resource.delete(account_id, region_name)
        return cls(original_resource.name, cloudformation_json["Properties"], account_id, region_name)

    def make(self, properties):
        raise NotImplementedError

    def delete(self, account, region):
        """Take it away; what belongs to another resource goes with that."""


class Alarm(Made):
    kind, name_property = "AWS::CloudWatch::Alarm", "AlarmName"

    def make(self, properties):
        cloudwatch_backends[self.account][self.region].put_metric_alarm(
            name=self.name,
            namespace=properties["Namespace"],
            metric_name=properties["MetricName"],
            comparison_operator=properties["ComparisonOperator"],
            evaluation_periods=properties["EvaluationPeriods"],
            period=properties["Period"],
            threshold=properties["Threshold"],
            statistic=properties["Statistic"],
            description=properties["AlarmDescription"],
            dimensions=properties["Dimensions"],
            alarm_actions=properties["AlarmActions"],
            ok_actions=properties.get("OKActions"),
            treat_missing_data=properties["TreatMissingData"],
        )

    def delete(self, account, region):
        cloudwatch_backends[account][region].delete_alarms([self.name])


class Schedule(Made):
    kind, name_property = "AWS::Scheduler::Schedule", "Name"

    def make(self, properties):
        scheduler_backends[self.account][self.region].create_schedule(
            name=self.name,
            group_name="default",
            schedule_expression=properties["ScheduleExpression"],
            flexible_time_window=properties["FlexibleTimeWindow"],
            target=properties["Target"],
            state=properties.get("State"),
            description=properties.get("Description"),
            schedule_expression_timezone=properties.get("ScheduleExpressionTimezone"),
            start_date=None, end_date=None, kms_key_arn=None, action_after_completion=None,
        )  # fmt: skip

    def delete(self, account, region):
        scheduler_backends[account][region].delete_schedule("default", self.name)


class FunctionUrl(Made):
    kind = "AWS::Lambda::Url"

    def make(self, properties):
        function = properties["TargetFunctionArn"].rsplit(":", 1)[-1]
        self.config = lambda_backends[self.account][self.region].create_function_url_config(function, properties)

    def get_cfn_attribute(self, attribute_name):
        return {"FunctionUrl": self.config.url, "FunctionArn": self.config.function.function_arn}[attribute_name]


class EventInvokeConfig(Made):
    kind = "AWS::Lambda::EventInvokeConfig"

    def make(self, properties):
        about = {name: value for name, value in properties.items() if name not in {"FunctionName", "Qualifier"}}
        lambda_backends[self.account][self.region].put_function_event_invoke_config(properties["FunctionName"], about)


def install():
    """Add them to those that moto's CloudFormation knows; let tables have backups, and URLs end as those of AWS do."""
    for one in Made.__subclasses__():
        one.cloudformation_type = staticmethod(lambda one=one: one.kind)
        one.cloudformation_name_type = staticmethod(lambda one=one: one.name_property)
        get_model_list().append(one)
    get_model_map.cache_clear()
    get_name_type_map.cache_clear()
    create_table = Table.create_from_cloudformation_json.__func__

    def with_backups(cls, resource_name, cloudformation_json, account_id, region_name, **more):
        from moto.dynamodb.models import dynamodb_backends

        table = create_table(cls, resource_name, cloudformation_json, account_id, region_name, **more)
        if recovery := cloudformation_json["Properties"].get("PointInTimeRecoverySpecification"):
            dynamodb_backends[account_id][region_name].update_continuous_backups(table.name, recovery)
        return table

    Table.create_from_cloudformation_json = classmethod(with_backups)
    begin = FunctionUrlConfig.__init__

    def with_slash(self, function, config):
        begin(self, function, config)
        self.url += "/"

    FunctionUrlConfig.__init__ = with_slash
