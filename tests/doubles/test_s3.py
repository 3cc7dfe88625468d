from tests.doubles.s3 import create_bucket, s3_client, s3_server


def test_every_server_starts_without_a_bucket_of_the_one_before():
    for _ in range(2):
        with s3_server() as url:
            client = s3_client(url)
            create_bucket(client, "intake")
            assert [one["Name"] for one in client.list_buckets()["Buckets"]] == ["intake"]
