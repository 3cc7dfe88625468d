import boto3
from tests.doubles.s3 import s3_server


def test_every_server_starts_without_a_bucket_of_the_one_before():
    for _ in range(2):
        with s3_server() as url:
            client = boto3.client(
                "s3",
                endpoint_url=url,
                region_name="eu-central-1",
                aws_access_key_id="owner",
                aws_secret_access_key="owner",
            )
            client.create_bucket(
                Bucket="intake", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
            )
            assert [one["Name"] for one in client.list_buckets()["Buckets"]] == ["intake"]
