package propseal.connect;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * The part of JAX-RS and Jersey that the extension needs, by reflection: Connect
 * hands out javax.ws.rs up to 3.9 and jakarta.ws.rs from 4.0 on, and one jar is
 * to do for both.
 */
final class Rest {
    private final ClassLoader loader;
    private final String ws;

    /** configurable: what ConnectRestExtensionContext.configurable() returned. */
    Rest(Object configurable) {
        Class<?> type = find(configurable.getClass());
        loader = type.getClassLoader();
        ws = type.getName().replaceFirst("[.]core[.]Configurable$", "");
    }

    private static Class<?> find(Class<?> c) {
        for (Class<?> k = c; k != null; k = k.getSuperclass()) {
            for (Class<?> i : k.getInterfaces()) {
                if (i.getName().endsWith(".ws.rs.core.Configurable"))
                    return i;
                Class<?> above = find(i);
                if (above != null)
                    return above;
            }
        }
        return null;
    }

    private Class<?> type(String name) {
        try {
            return Class.forName(name, true, loader);
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException("this Connect has no " + name, e);
        }
    }

    /** Call a public method by its name and number of arguments. */
    private static Object call(Class<?> type, Object on, String name, Object... with) {
        for (Method m : type.getMethods()) {
            if (!m.getName().equals(name) || m.getParameterCount() != with.length || !takes(m, with))
                continue;
            try {
                return m.invoke(on, with);
            } catch (IllegalAccessException e) {
                throw new IllegalStateException(e);
            } catch (InvocationTargetException e) {
                if (e.getCause() instanceof RuntimeException)
                    throw (RuntimeException) e.getCause();
                throw new IllegalStateException(e.getCause());
            }
        }
        throw new IllegalStateException("there is no " + type.getName() + "." + name);
    }

    private static boolean takes(Method m, Object... with) {
        Class<?>[] types = m.getParameterTypes();
        for (int i = 0; i < with.length; i++) {
            if (with[i] != null && !types[i].isInstance(with[i])
                && !(types[i] == int.class && with[i] instanceof Integer)
                && !(types[i] == boolean.class && with[i] instanceof Boolean))
                return false;
        }
        return true;
    }

    /** An object with one method of its interface that counts. */
    private Object proxy(String name, String method, Function<Object[], Object> does) {
        Class<?> type = type(name);
        return Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {type}, (self, m, args) -> {
            if (m.getName().equals(method) && m.getDeclaringClass() != Object.class)
                return does.apply(args);
            switch (m.getName()) {
                case "equals":
                    return self == args[0];
                case "hashCode":
                    return System.identityHashCode(self);
                case "toString":
                    return "propseal's " + type.getSimpleName();
                default:    // ModelProcessor's other method hands the model on
                    return args == null ? null : args[0];
            }
        });
    }

    /** Look at each request to a resource of Connect's. */
    void beforeRequests(Object configurable, Consumer<Request> look) {
        register(configurable, ws + ".container.ContainerRequestFilter", "filter", args -> {
            look.accept(new Request(args[0]));
            return null;
        });
    }

    /** Change what a resource answered: its status and entity to another entity. */
    void afterRequests(Object configurable, BiFunction<Request, Object, Object> change) {
        Class<?> response = type(ws + ".container.ContainerResponseContext");
        register(configurable, ws + ".container.ContainerResponseFilter", "filter", args -> {
            if ((Integer) call(response, args[1], "getStatus") == 200) {
                Object entity = call(response, args[1], "getEntity");
                Object other = change.apply(new Request(args[0]), entity);
                if (other != entity)
                    call(response, args[1], "setEntity", other);
            }
            return null;
        });
    }

    /** Have a resource for all below a path; who looks at the request before has to answer it. */
    void resource(Object configurable, String path) {
        String model = "org.glassfish.jersey.server.model.";
        register(configurable, model + "ModelProcessor", "processResourceModel", args -> {
            Class<?> resources = type(model + "ResourceModel"), builder = type(model + "ResourceModel$Builder");
            Object all, unanswered = new Unanswered();
            Method method;
            try {
                all = builder.getConstructor(resources, boolean.class).newInstance(args[0], false);
                method = Unanswered.class.getMethod("get");
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
            Object one = call(type(model + "Resource"), null, "builder", path + "{rest:(/.*)?}");
            for (String verb : new String[] {"GET", "POST", "PUT", "PATCH", "DELETE"})
                call(type(model + "ResourceMethod$Builder"), call(type(model + "Resource$Builder"), one,
                    "addMethod", verb), "handledBy", unanswered, method);
            call(builder, all, "addResource", call(type(model + "Resource$Builder"), one, "build"));
            return call(builder, all, "build");
        });
    }

    /** What Jersey would call. */
    public static final class Unanswered {
        public String get() {
            throw new IllegalStateException("nobody answered this request");
        }
    }

    private void register(Object configurable, String contract, String method, Function<Object[], Object> does) {
        call(type(ws + ".core.Configurable"), configurable, "register", proxy(contract, method, does),
            new Class<?>[] {type(contract)});
    }

    /** An answer; headers may be null. */
    Object response(int status, String mediaType, Object entity, Map<String, List<String>> headers) {
        Class<?> builder = type(ws + ".core.Response$ResponseBuilder");
        Object b = call(type(ws + ".core.Response"), null, "status", status);
        if (headers != null)
            headers.forEach((name, values) -> values.forEach(v -> call(builder, b, "header", name, v)));
        if (entity != null)
            call(builder, b, "entity", entity);
        if (mediaType != null)
            call(builder, b, "type", mediaType);
        return call(builder, b, "build");
    }

    /** One request to the worker. */
    final class Request {
        private final Class<?> type = type(ws + ".container.ContainerRequestContext");
        private final Class<?> uri = type(ws + ".core.UriInfo");
        private final Object context;

        Request(Object context) {
            this.context = context;
        }

        String method() {
            return (String) call(type, context, "getMethod");
        }

        String header(String name) {
            return (String) call(type, context, "getHeaderString", name);
        }

        URI uri() {
            return (URI) call(uri, call(type, context, "getUriInfo"), "getRequestUri");
        }

        /** The decoded segments of the path, without matrix parameters and empty ones. */
        List<String> segments() {
            List<String> out = new ArrayList<>();
            for (Object s : (List<?>) call(uri, call(type, context, "getUriInfo"), "getPathSegments", true)) {
                String text = (String) call(type(ws + ".core.PathSegment"), s, "getPath");
                if (!text.isEmpty())
                    out.add(text);
            }
            return out;
        }

        /** The body, which stays there for the resource; null: more than max bytes. */
        byte[] body(int max) {
            try {
                InputStream in = (InputStream) call(type, context, "getEntityStream");
                byte[] bytes = in == null ? new byte[0] : in.readNBytes(max + 1);
                call(type, context, "setEntityStream", new ByteArrayInputStream(bytes));
                return bytes.length > max ? null : bytes;
            } catch (IOException e) {
                throw new IllegalStateException("the request's body cannot be read", e);
            }
        }

        /** End it here. */
        void answer(Object response) {
            call(type, context, "abortWith", response);
        }

        /** End it here, with an error of Connect's form. */
        void refuse(int status, String message, Map<String, List<String>> headers) {
            answer(response(status, "application/json",
                "{\"error_code\":" + status + ",\"message\":" + Json.quote(message) + "}", headers));
        }
    }
}
