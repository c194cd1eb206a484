#!/bin/sh
# 用 curl 与 openssl 签名并发送一条消息：./send.sh FOLDER PATH FILE [MESSAGE_ID]
#   ./send.sh sandbox /batches sandbox/record.json curl-batch-2
#   echo '{"batch_no": 2}' > ask.json && ./send.sh sandbox /batches/verdicts ask.json
# 需要 curl、jq、openssl。退出码 0：平台以 2xx 回答；22：被拒绝，正文说明原因。
set -eu
folder=$1 path=$2 file=$3
id=${4:-msg_$(openssl rand -hex 16)}
url=$(jq -r .exchange_url "$folder/partner.json")
partner=$(jq -r .partner "$folder/partner.json")
key=$(jq -r .secret "$folder/partner.json" | sed 's/^whsec_//' | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
now=$(date +%s)
# 被签的是「消息号.时间.正文」，正文一个字节也不能变。
signature=$({ printf '%s.%s.' "$id" "$now" && cat "$file"; } |
    openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A)
exec curl --silent --show-error --fail-with-body --max-time 15 "$url/exchange/v1$path" \
    -H 'Content-Type: application/json' -H "Zhipei-Partner: $partner" \
    -H "webhook-id: $id" -H "webhook-timestamp: $now" -H "webhook-signature: v1,$signature" \
    --data-binary "@$file"
