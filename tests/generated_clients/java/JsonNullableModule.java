package org.openapitools.jackson.nullable;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.BeanDescription;
import com.fasterxml.jackson.databind.BeanProperty;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.SerializationConfig;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.deser.ContextualDeserializer;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.BeanPropertyWriter;
import com.fasterxml.jackson.databind.ser.BeanSerializerModifier;
import java.io.IOException;
import java.util.List;

/** Makes Jackson omit an undefined {@link JsonNullable} and write one that contains null. */
public final class JsonNullableModule extends SimpleModule {
  private static final long serialVersionUID = 1L;

  @SuppressWarnings("unchecked")
  public JsonNullableModule() {
    super("JsonNullableModule");
    Class<JsonNullable<?>> type = (Class<JsonNullable<?>>) (Class<?>) JsonNullable.class;
    addSerializer(type, new Writer());
    addDeserializer(type, new Reader(null));
    setSerializerModifier(new OmitUndefined());
  }

  private static final class Writer extends JsonSerializer<JsonNullable<?>> {
    @Override
    public void serialize(JsonNullable<?> nullable, JsonGenerator out, SerializerProvider provider) throws IOException {
      provider.defaultSerializeValue(nullable.get(), out);
    }
  }

  private static final class Reader extends JsonDeserializer<JsonNullable<?>> implements ContextualDeserializer {
    private final JavaType inner;

    Reader(JavaType inner) {
      this.inner = inner;
    }

    @Override
    public JsonDeserializer<?> createContextual(DeserializationContext context, BeanProperty property) {
      return new Reader(context.getContextualType().containedType(0));
    }

    @Override
    public JsonNullable<?> deserialize(JsonParser in, DeserializationContext context) throws IOException {
      return JsonNullable.of(context.<Object>readValue(in, inner));
    }

    @Override
    public JsonNullable<?> getNullValue(DeserializationContext context) {
      return JsonNullable.of(null);
    }
  }

  private static final class OmitUndefined extends BeanSerializerModifier {
    private static final long serialVersionUID = 1L;

    @Override
    public List<BeanPropertyWriter> changeProperties(
        SerializationConfig config, BeanDescription bean, List<BeanPropertyWriter> writers) {
      writers.replaceAll(writer -> writer.getType().hasRawClass(JsonNullable.class) ? new Property(writer) : writer);
      return writers;
    }
  }

  private static final class Property extends BeanPropertyWriter {
    private static final long serialVersionUID = 1L;

    Property(BeanPropertyWriter base) {
      super(base);
    }

    @Override
    public void serializeAsField(Object bean, JsonGenerator out, SerializerProvider provider) throws Exception {
      if (get(bean) instanceof JsonNullable<?> nullable && nullable.isPresent()) {
        super.serializeAsField(bean, out, provider);
      }
    }
  }
}
