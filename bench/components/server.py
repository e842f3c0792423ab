import json
from wit_world import exports
from wit_world.imports.types import Ok, IncomingRequest, ResponseOutparam, OutgoingResponse, Fields, OutgoingBody
class IncomingHandler(exports.IncomingHandler):
    def handle(self, request: IncomingRequest, response_out: ResponseOutparam) -> None:
        path = request.path_with_query() or '/'
        name, _, query = path.partition('?')
        n = int(query.partition('n=')[2] or 10)
        text = json.dumps({'path': name, 'n': n, 'sum': sum(i * i for i in range(n)), 'words': sorted({'w%d' % (i * 7919 % 3001) for i in range(n)})[:3]}) + '\n'
        response = OutgoingResponse(Fields.from_list([('content-type', b'application/json')]))
        response.set_status_code(404 if name == '/missing' else 200)
        body = response.body()
        ResponseOutparam.set(response_out, Ok(response))
        with body.write() as stream:
            stream.blocking_write_and_flush(text.encode())
        OutgoingBody.finish(body, None)
